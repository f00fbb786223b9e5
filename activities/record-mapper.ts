/** Hands new records to the mapping thread in batches, and takes mapped rows back in order. */
import type { Worker } from 'node:worker_threads';
import { LockstepError } from '../engine/errors.ts';
import type { ScannedBytes } from '../engine/record-scanner.ts';
import { stagedParts } from '../store/row-writer.ts';
import type { StagingSink } from '../store/staging.ts';
import type { FromThread, MappingTask, RecordBatch, ToThread } from './mapping-thread.ts';
import { startSandboxThread } from './sandbox-thread.ts';

const batchRecords = 8000;
const batchBytes = 1 << 18;
/** What a batch has room for at first: most sources have few new records, and a chunk of one may hold more than a batch does. */
const firstRoom = { bytes: 1 << 12, records: 64 } as const;
/** Batches on their way: one at work, others waiting, so that the thread never idles and memory stays bounded. */
const batchesInFlight = 3;
/** A row that takes longer than this hangs: JSONata's own limit does not see a regular expression at work. */
const hangLimitMs = 5000;

/** No expression at work: a thread that takes its time to start, on a busy machine, must not be taken for one that hangs. */
function stillPulse(): Int32Array<SharedArrayBuffer> {
  const pulse = new Int32Array(new SharedArrayBuffer(16));
  pulse[2] = -1;
  return pulse;
}

/** What the thread says of the usable rows of a first load: what they were, and what SQL has to look for; see {@link FromThread}. */
export type FirstRows = Omit<FromThread, 'rows' | 'source'>;

const noRows: FirstRows = { mayRepeat: false, mayDangle: false, usable: null };

/** Maps the new records of sources, of several at once if need be. */
export class RecordMapper {
  #thread: Worker | undefined;
  readonly #pulse = stillPulse();
  #watch: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  readonly #open = new Map<number, SourceMapping>();
  #sources = 0;
  #inFlight = 0;

  /** Opens the mapping of one source. Its rows go to `sink` as they come. */
  open({ task, first, beginning }: SourceTask, sink: StagingSink): SourceMapping {
    return new SourceMapping(this, { task, first, beginning }, sink);
  }

  /** Starts the thread, which takes a moment, before there is anything to map. */
  start(): void {
    this.#start();
  }

  /** @internal Why the thread has ended before its time. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    await this.#thread?.terminate();
  }

  /** @internal Begins a source; the thread starts with the first one that has new records. @returns its number */
  begin(mapping: SourceMapping): number {
    this.#sources += 1;
    this.#open.set(this.#sources, mapping);
    this.#say({ source: this.#sources, ...mapping.task });
    return this.#sources;
  }

  /** @internal */
  send(source: number, batch: RecordBatch): void {
    this.#inFlight += 1;
    const transfer = [batch.bytes, batch.ends, batch.lines, batch.digests].map(
      ({ buffer }) => buffer as ArrayBuffer,
    );
    this.#say({ source, batch }, transfer);
  }

  /** @internal Once everything of a source has come back. */
  end(source: number): void {
    this.#open.delete(source);
    this.#say({ ended: source });
  }

  #say(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#start().postMessage(message, transfer);
  }

  #start(): Worker {
    if (this.#thread) return this.#thread;
    const thread = startSandboxThread('mapping-thread', { pulse: this.#pulse });
    thread.on('message', (answer: FromThread) => {
      this.#inFlight -= 1;
      this.#open.get(answer.source)?.receive(answer);
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
    const [line, , index, source] = Array.from(this.#pulse, (_, at) =>
      Atomics.load(this.#pulse, at),
    );
    const { entityType } = {
      entityType: undefined,
      ...this.#open.get(source as number)?.task.task,
    };
    const property = entityType?.properties[index as number];
    const expression = property
      ? `the expression of ${entityType?.name}.${property.name}`
      : 'an expression';
    return new LockstepError('ExpressionTimedOut', `${expression} ${what} on line ${line}`);
  }

  #fail(error: Error): void {
    this.#failure = error;
    for (const mapping of this.#open.values()) mapping.fail(error);
  }
}

type SourceTask = Omit<Extract<ToThread, { task: MappingTask }>, 'source'>;

/** Collects the new records of one source, hands them over in batches, and takes mapped rows back in order. */
export class SourceMapping {
  /** @internal */
  readonly task: SourceTask;
  readonly #mapper: RecordMapper;
  readonly #sink: StagingSink;
  /** Its number, once it has begun. */
  #source: number | undefined;
  #waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  readonly #finished: FromThread[] = [];
  #inFlight = 0;
  #first: FirstRows = noRows;
  #added = 0;
  #bytes = new Uint8Array(firstRoom.bytes);
  #used = 0;
  #records = 0;
  #ends = new Uint32Array(firstRoom.records);
  #lines = new Uint32Array(firstRoom.records);
  #digests = new Uint32Array(firstRoom.records * 4);

  constructor(mapper: RecordMapper, task: SourceTask, sink: StagingSink) {
    this.#mapper = mapper;
    this.task = task;
    this.#sink = sink;
  }

  /** How many records were added. */
  get added(): number {
    return this.#added;
  }

  /** Adds a record; its bytes are copied. */
  add(
    { bytes }: ScannedBytes,
    start: number,
    end: number,
    line: number,
    digest: Uint32Array,
  ): void {
    const length = end - start;
    this.#makeRoom(length + 1);
    this.#bytes.set(bytes.subarray(start, end), this.#used);
    this.#used += length;
    this.#ends[this.#records] = this.#used;
    this.#bytes[this.#used] = 0x0a;
    this.#used += 1;
    this.#lines[this.#records] = line;
    this.#digests.set(digest, this.#records * 4);
    this.#records += 1;
    this.#added += 1;
  }

  /** Sends what has been collected when it is enough for a batch. Call it now and then. */
  async flushIfFull(): Promise<void> {
    if (this.#records >= batchRecords || this.#used >= batchBytes) await this.#flush();
  }

  /**
   * Sends the rest and waits until every row is written.
   *
   * @returns what they were, of a first load only
   */
  async end(): Promise<FirstRows> {
    await this.#flush();
    while (this.#inFlight > 0) await this.#reply();
    if (this.#source !== undefined) this.#mapper.end(this.#source);
    return this.#first;
  }

  /** @internal Takes mapped rows back. */
  receive(answer: FromThread): void {
    this.#finished.push(answer);
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** @internal The thread has ended before its time. */
  fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  /** Waits for the next rows and writes them. */
  async #reply(): Promise<void> {
    if (this.#finished.length === 0) {
      await new Promise<void>((resolve, reject) => {
        if (this.#mapper.failure) reject(this.#mapper.failure);
        else this.#waiting = { resolve, reject };
      });
    }
    // What it says of a first load holds for all that came before, too.
    const { rows, mayRepeat, mayDangle, usable } = this.#finished.shift() as FromThread;
    this.#first = { mayRepeat, mayDangle, usable };
    this.#inFlight -= 1;
    for (const part of stagedParts) await this.#sink.write(part, rows[part]);
  }

  async #flush(): Promise<void> {
    if (this.#records === 0) return;
    this.#source ??= this.#mapper.begin(this);
    const batch: RecordBatch = {
      bytes: this.#bytes.slice(0, this.#used),
      ends: this.#ends.slice(0, this.#records),
      lines: this.#lines.slice(0, this.#records),
      digests: this.#digests.slice(0, this.#records * 4),
    };
    this.#used = 0;
    this.#records = 0;
    while (this.#inFlight >= batchesInFlight) await this.#reply();
    this.#inFlight += 1;
    this.#mapper.send(this.#source, batch);
  }

  #makeRoom(length: number): void {
    if (this.#used + length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#used + length));
      larger.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = larger;
    }
    if (this.#records === this.#ends.length) {
      this.#ends = doubled(this.#ends);
      this.#lines = doubled(this.#lines);
      this.#digests = doubled(this.#digests);
    }
  }
}

function doubled(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
