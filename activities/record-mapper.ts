/** Hands new records to the mapping thread in batches, and takes mapped rows back in order. */
import { Worker } from 'node:worker_threads';
import { LockstepError } from '../engine/errors.ts';
import type { RowSink } from '../store/copy.ts';
import type { FromThread, MappingTask, RecordBatch, ToThread } from './mapping-thread.ts';

const batchRecords = 2000;
const batchBytes = 1 << 18;
/** Batches on their way: one at work, one waiting, so that the thread never idles and memory stays bounded. */
const batchesInFlight = 2;
/** A row that takes longer than this hangs: JSONata's own limit does not see a regular expression at work. */
const hangLimitMs = 5000;

/** No expression at work: a thread that takes its time to start, on a busy machine, must not be taken for one that hangs. */
function stillPulse(): Int32Array<SharedArrayBuffer> {
  const pulse = new Int32Array(new SharedArrayBuffer(12));
  pulse[2] = -1;
  return pulse;
}

/** Maps the new records of one source after another. */
export class RecordMapper {
  #thread: Worker | undefined;
  #pulse = stillPulse();
  #watch: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  #waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #finished: Uint8Array[] = [];
  #inFlight = 0;
  #task: MappingTask | undefined;

  /** Opens the mapping of one source. Its rows go to `sink` as they come. */
  open(task: MappingTask, sink: RowSink): SourceMapping {
    return new SourceMapping(this, task, sink);
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    await this.#thread?.terminate();
  }

  /** @internal Begins a source; the thread starts with the first one that has new records. */
  begin(task: MappingTask): void {
    this.#task = task;
    this.#start().postMessage({ task } satisfies ToThread);
  }

  /** @internal Sends a batch and writes what has come back. */
  async send(batch: RecordBatch, sink: RowSink): Promise<void> {
    while (this.#inFlight >= batchesInFlight) await this.#reply(sink);
    this.#inFlight += 1;
    const transfer = [batch.bytes, batch.ends, batch.lines, batch.digests].map(
      ({ buffer }) => buffer as ArrayBuffer,
    );
    this.#start().postMessage({ batch } satisfies ToThread, transfer);
  }

  /** @internal Waits until everything sent has come back and is written. */
  async drain(sink: RowSink): Promise<void> {
    while (this.#inFlight > 0) await this.#reply(sink);
  }

  async #reply(sink: RowSink): Promise<void> {
    if (this.#finished.length === 0) {
      await new Promise<void>((resolve, reject) => {
        if (this.#failure) reject(this.#failure);
        else this.#waiting = { resolve, reject };
      });
    }
    const rows = this.#finished.shift() as Uint8Array;
    this.#inFlight -= 1;
    await sink.write(rows);
  }

  #start(): Worker {
    if (this.#thread) return this.#thread;
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    // No environment: expressions run beside no secret. Bounded memory: they cannot take the worker with them.
    const thread = new Worker(new URL(`./mapping-thread.${extension}`, import.meta.url), {
      workerData: { pulse: this.#pulse },
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 },
    });
    thread.on('message', ({ rows }: FromThread) => {
      this.#finished.push(rows);
      this.#waiting?.resolve();
      this.#waiting = undefined;
    });
    thread.on('error', (error: NodeJS.ErrnoException) => {
      const outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#fail(outOfMemory ? this.#stuck('took too much memory') : error);
    });
    this.#watchOver(thread);
    this.#thread = thread;
    return thread;
  }

  #watchOver(thread: Worker): void {
    let done = -1;
    let since = Date.now();
    this.#watch = setInterval(() => {
      const now = Atomics.load(this.#pulse, 1);
      if (now !== done || this.#inFlight === 0 || Atomics.load(this.#pulse, 2) === -1) {
        done = now;
        since = Date.now();
      } else if (Date.now() - since > hangLimitMs) {
        this.#fail(this.#stuck(`did not finish within ${hangLimitMs / 1000} s`));
        void thread.terminate();
      }
    }, 500);
    this.#watch.unref();
  }

  #stuck(what: string): LockstepError {
    const line = Atomics.load(this.#pulse, 0);
    const { entityType } = { entityType: undefined, ...this.#task };
    const property = entityType?.properties[Atomics.load(this.#pulse, 2)];
    const expression = property
      ? `the expression of ${entityType?.name}.${property.name}`
      : 'an expression';
    return new LockstepError('ExpressionTimedOut', `${expression} ${what} on line ${line}`);
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

/** Collects the new records of one source. */
export class SourceMapping {
  readonly #mapper: RecordMapper;
  readonly #task: MappingTask;
  readonly #sink: RowSink;
  #begun = false;
  #bytes = new Uint8Array(batchBytes);
  #used = 0;
  #ends: number[] = [];
  #lines: number[] = [];
  #digests: number[] = [];

  constructor(mapper: RecordMapper, task: MappingTask, sink: RowSink) {
    this.#mapper = mapper;
    this.#task = task;
    this.#sink = sink;
  }

  /** Adds a record; its bytes are copied. */
  add(bytes: Uint8Array, start: number, end: number, line: number, digest: Uint32Array): void {
    const length = end - start;
    this.#makeRoom(length + 1);
    this.#bytes.set(bytes.subarray(start, end), this.#used);
    this.#used += length;
    this.#ends.push(this.#used);
    this.#bytes[this.#used] = 0x0a;
    this.#used += 1;
    this.#lines.push(line);
    this.#digests.push(
      digest[0] as number,
      digest[1] as number,
      digest[2] as number,
      digest[3] as number,
    );
  }

  /** Sends what has been collected when it is enough for a batch. Call it now and then. */
  async flushIfFull(): Promise<void> {
    if (this.#ends.length >= batchRecords || this.#used >= batchBytes) await this.#flush();
  }

  /** Sends the rest and waits until every row is written. */
  async end(): Promise<void> {
    await this.#flush();
    if (this.#begun) await this.#mapper.drain(this.#sink);
  }

  async #flush(): Promise<void> {
    if (this.#ends.length === 0) return;
    if (!this.#begun) this.#mapper.begin(this.#task);
    this.#begun = true;
    const batch: RecordBatch = {
      bytes: this.#bytes.slice(0, this.#used),
      ends: Uint32Array.from(this.#ends),
      lines: Uint32Array.from(this.#lines),
      digests: Uint32Array.from(this.#digests),
    };
    this.#used = 0;
    this.#ends = [];
    this.#lines = [];
    this.#digests = [];
    await this.#mapper.send(batch, this.#sink);
  }

  #makeRoom(length: number): void {
    if (this.#used + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#used + length));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}
