/** Converts what was read back of a write exactly as an import of that record would. */
import type { Worker } from 'node:worker_threads';
import type { EntityType } from '../engine/entity-type.ts';
import { LockstepError } from '../engine/errors.ts';
import {
  compileEntityMapping,
  Header,
  type Mapped,
  type MappedResource,
} from '../engine/row-mapping.ts';
import type { ReadBackQuestion, ReadBackThreadData } from './read-back-thread.ts';
import { startSandboxThread } from './sandbox-thread.ts';

/** Longer than any expression may take. */
const hangLimitMs = 5000;

type Answer = Mapped<MappedResource>;

/** Maps the cells of records of one entity type, in the order of its paths. */
export interface ReadBackMapper extends AsyncDisposable {
  /** @throws LockstepError `ExpressionTimedOut` */
  map(cells: readonly string[]): Promise<Answer>;
}

/** Opens the mapping of an entity type; one with expressions gets a thread, which ends with it. */
export function openReadBackMapper(data: ReadBackThreadData): ReadBackMapper {
  const { entityType, header, entityTypes } = data;
  if (entityType.properties.some(({ origin }) => origin.from === 'expression')) {
    return new MappingThread(data);
  }
  const targets = new Map(entityTypes.map((type) => [type.name, type]));
  const map = compileEntityMapping(entityType, new Header(header), targets, new Map());
  return { map: async (cells) => await map(cells), async [Symbol.asyncDispose]() {} };
}

class MappingThread implements ReadBackMapper {
  readonly #thread: Worker;
  readonly #entityType: EntityType;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #nth = 0;
  #failure: Error | undefined;

  constructor(data: ReadBackThreadData) {
    this.#entityType = data.entityType;
    this.#thread = startSandboxThread('read-back-thread', data);
    this.#thread.on('message', ({ nth, mapped }: { nth: number; mapped: Answer }) => {
      this.#waiting.get(nth)?.resolve(mapped);
      this.#waiting.delete(nth);
    });
    this.#thread.on('error', (error: NodeJS.ErrnoException) => {
      const tooLarge = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#fail(tooLarge ? this.#stuck('took too much memory') : error);
    });
  }

  async map(cells: readonly string[]): Promise<Answer> {
    if (this.#failure) throw this.#failure;
    this.#nth += 1;
    const nth = this.#nth;
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(nth, answer);
    this.#thread.postMessage({ nth, cells } satisfies ReadBackQuestion);
    const limit = setTimeout(
      () => this.#fail(this.#stuck(`did not finish within ${hangLimitMs / 1000} s`)),
      hangLimitMs,
    );
    try {
      return await answer.promise;
    } finally {
      clearTimeout(limit);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate();
  }

  #stuck(what: string): LockstepError {
    return new LockstepError(
      'ExpressionTimedOut',
      `an expression of ${this.#entityType.name} ${what} on what was read back`,
    );
  }

  #fail(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    void this.#thread.terminate();
  }
}
