/** Hands new records to the mapping thread in batches, and takes mapped rows back in order. */
import type { Worker } from 'node:worker_threads';
import { LockstepError } from '../engine/errors.ts';
import { stagedParts } from '../store/row-writer.ts';
import type { StagingSink } from '../store/staging.ts';
import type { FromThread, MappedBatch, MappingTask, ToThread } from './mapping-thread.ts';
import type { RecordPick } from './picked-records.ts';
import { BatchCollector, buffersOf, type RecordBatch } from './record-batch.ts';
import { startSandboxThread } from './sandbox-thread.ts';

/** Batches on their way: one at work, others waiting, so that the thread never idles and memory stays bounded. */
const batchesInFlight = 3;
/** Batches that the thread may make of records that it reads itself: of a few thousand all, before it turns to another source. */
const picksInFlight = 8;
/** A row that takes longer than this hangs: JSONata's own limit does not see a regular expression at work. */
const hangLimitMs = 5000;

/** No expression at work: a thread that takes its time to start, on a busy machine, must not be taken for one that hangs. */
function stillPulse(): Int32Array<SharedArrayBuffer> {
  const pulse = new Int32Array(new SharedArrayBuffer(16));
  pulse[2] = -1;
  return pulse;
}

/** What the thread says of the usable rows of a first load: what they were, and what SQL has to look for; see {@link MappedBatch}. */
export type FirstRows = Pick<MappedBatch, 'mayRepeat' | 'mayDangle' | 'usable'>;

const noRows: FirstRows = { mayRepeat: false, mayDangle: false, usable: null };

/** Maps the new records of sources, of several at once if need be. */
export class RecordMapper {
  #thread: Worker | undefined;
  readonly #pulse = stillPulse();
  #watch: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  readonly #open = new Map<number, SourceMapping>();
  #sources = 0;

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

  /** @internal Asks for the next batch of the records that were picked. */
  next(source: number): void {
    this.#say({ source, next: true });
  }

  /** @internal */
  pick(source: number, pick: RecordPick): void {
    this.#say({ source, pick });
  }

  /** @internal */
  send(source: number, batch: RecordBatch): void {
    this.#say({ source, batch }, buffersOf(batch));
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
      if (now !== done || !this.#isWaiting || Atomics.load(this.#pulse, 2) === -1) {
        done = now;
        since = Date.now();
      } else if (Date.now() - since > hangLimitMs) {
        this.#fail(this.#stuck(`did not finish within ${hangLimitMs / 1000} s`));
        void thread.terminate();
      }
    }, 500);
    this.#watch.unref();
  }

  get #isWaiting(): boolean {
    return Array.from(this.#open.values()).some(({ isWaiting }) => isWaiting);
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

/** Hands the new records of one source over in batches, and takes mapped rows back in order. */
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
  readonly #batch = new BatchCollector();

  constructor(mapper: RecordMapper, task: SourceTask, sink: StagingSink) {
    this.#mapper = mapper;
    this.task = task;
    this.#sink = sink;
  }

  /** @internal The thread has not answered all of it yet. */
  get isWaiting(): boolean {
    return this.#inFlight > this.#finished.length;
  }

  /** How many records were added. */
  get added(): number {
    return this.#added;
  }

  /** Adds a record; its bytes are copied. */
  add(...record: Parameters<BatchCollector['add']>): void {
    this.#batch.add(...record);
    this.#added += 1;
  }

  /** Sends what has been collected when it is enough for a batch. Call it now and then. */
  async flushIfFull(): Promise<void> {
    if (this.#batch.isFull) await this.#flush();
  }

  /**
   * Adds records that the thread reads itself, and waits until their rows are written.
   *
   * @returns how many of them were where they should be
   * @throws Error of the system, as `ENOENT`
   */
  async pick(pick: RecordPick, signal: AbortSignal): Promise<number> {
    const source = this.#begin();
    const before = this.#added;
    this.#mapper.pick(source, pick);
    for (let isOver = false; !isOver; ) {
      signal.throwIfAborted();
      for (; this.#inFlight < picksInFlight; this.#inFlight++) this.#mapper.next(source);
      const mapped = await this.#reply();
      this.#added += mapped.records;
      isOver = mapped.isOver;
    }
    // Whatever else was asked for is not answered.
    this.#inFlight = 0;
    return this.#added - before;
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
  async #reply(): Promise<MappedBatch> {
    if (this.#finished.length === 0) {
      await new Promise<void>((resolve, reject) => {
        if (this.#mapper.failure) reject(this.#mapper.failure);
        else this.#waiting = { resolve, reject };
      });
    }
    this.#inFlight -= 1;
    const answer = this.#finished.shift() as FromThread;
    if ('failure' in answer) {
      this.#inFlight = 0;
      throw Object.assign(new Error(answer.failure), { code: answer.code });
    }
    // What it says of a first load holds for all that came before, too.
    const { rows, mayRepeat, mayDangle, usable } = answer;
    this.#first = { mayRepeat, mayDangle, usable };
    for (const part of stagedParts) await this.#sink.write(part, rows[part]);
    return answer;
  }

  #begin(): number {
    this.#source ??= this.#mapper.begin(this);
    return this.#source;
  }

  async #flush(): Promise<void> {
    if (this.#batch.isEmpty) return;
    const source = this.#begin();
    const batch = this.#batch.take();
    while (this.#inFlight >= batchesInFlight) await this.#reply();
    this.#inFlight += 1;
    this.#mapper.send(source, batch);
  }
}
