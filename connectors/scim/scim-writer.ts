/** The writing side of a SCIM connector: many writes, a bounded number at a time, each with its outcome. */
import { errorCatalogue, LockstepError } from '../../engine/errors.ts';
import { effectsOf } from '../../engine/scim-quirk.ts';
import type { ScimSettings } from '../../engine/scim-settings.ts';
import type { ResourceWrite, WriteOutcome, WriteRequest, Writer } from '../writer.ts';
import { createAuthentication } from './authentication.ts';
import { BulkWriter, mostAtOnce } from './bulk-writer.ts';
import { type Clock, HttpClient, systemClock } from './http-client.ts';
import { ResourceAccess } from './resource-access.ts';
import type { WritingHabits } from './resource-update.ts';
import { ResourceWriter } from './resource-writer.ts';
import { ScimClient } from './scim-client.ts';
import { discoverService, type ScimService } from './service.ts';
import { WriteFailure } from './write-failure.ts';

/** How often a request is sent at most: with the waits between, some 15 s. */
const attempts = 6;

/** So many writes in vain one after another mean that the service takes none. */
const vainWritesInARow = 5;

/** So many members come and go in one request, unless the service takes fewer. */
const membersAtOnce = 100;

/** Creates the writer of a SCIM service; it connects when it writes. */
export function createScimWriter(settings: ScimSettings, clock: Clock = systemClock): Writer {
  return {
    async write(request) {
      request.signal.throwIfAborted();
      await using http = await HttpClient.open(settings, {
        // A request that is under way ends: what it does is certain then.
        signal: new AbortController().signal,
        waits: request.signal,
        clock,
        attempts,
        connections: request.concurrency,
      });
      const client = new ScimClient(http, createAuthentication(settings.auth, http, clock));
      try {
        const service = await discoverService(client, settings);
        await new WriteRun(client, service, settings, request).all();
      } catch (error) {
        throw asTargetError(error);
      }
    },
  };
}

/** What reading calls the source is the target of a write. */
function asTargetError(error: unknown): unknown {
  if (!(error instanceof LockstepError) || !isPassing(error)) return error;
  const { fault, message } = error;
  // Whose fault it is has a hint of its own.
  const hint = error.hint === errorCatalogue[error.code].remedy ? undefined : error.hint;
  return new LockstepError('TargetUnavailable', message, { fault, hint, cause: error });
}

/** A list by which a key is looked up may move while it is read. */
function isPassing({ code }: LockstepError): boolean {
  return code === 'SourceUnavailable' || code === 'SourceIncomplete';
}

/** One request of writes. */
class WriteRun {
  readonly #client: ScimClient;
  readonly #service: ScimService;
  readonly #request: WriteRequest;
  readonly #effects: ReturnType<typeof effectsOf>;
  readonly #habits: WritingHabits;
  readonly #writers = new Map<string, TypeWriters>();
  readonly #writes: Iterator<ResourceWrite>;
  /** Those that a request of several has left open. */
  readonly #left: ResourceWrite[] = [];
  #inVain = 0;
  /** Why nothing new begins. */
  #end: { readonly error: unknown } | undefined;

  constructor(
    client: ScimClient,
    service: ScimService,
    { quirks }: ScimSettings,
    request: WriteRequest,
  ) {
    this.#client = client;
    this.#service = service;
    this.#request = request;
    this.#effects = effectsOf(quirks);
    this.#habits = {
      canPatch: service.capabilities.patch && !this.#effects.noPatch,
      replaceAdds: this.#effects.replaceAdds === true,
      createWithoutMembers: this.#effects.createWithoutMembers === true,
      bulk: service.capabilities.bulk,
      membersAtOnce,
    };
    this.#writes = request.writes[Symbol.iterator]();
  }

  async all(): Promise<void> {
    const slots = Array.from({ length: this.#request.concurrency }, () => this.#slot());
    await Promise.all(slots);
    if (this.#end) throw this.#end.error;
    this.#request.signal.throwIfAborted();
  }

  /** One write after another; what stops one slot lets the others end what they are at. */
  async #slot(): Promise<void> {
    const { signal, onOutcome } = this.#request;
    try {
      while (this.#end === undefined && !signal.aborted) {
        const [write, ...others] = this.#take();
        if (write === undefined) return;
        if (others.length > 0) await this.#writeTogether([write, ...others]);
        else await onOutcome(await this.#outcomeOf(write));
      }
    } catch (error) {
      this.#end ??= { error };
    }
  }

  /** As many as go together. */
  #take(): ResourceWrite[] {
    const left = this.#left.shift();
    if (left !== undefined) return [left];
    const atOnce = this.#habits.bulk ? mostAtOnce : 1;
    const taken: ResourceWrite[] = [];
    while (taken.length < atOnce) {
      const next = this.#writes.next();
      if (next.done) break;
      taken.push(next.value);
    }
    return taken;
  }

  async #writeTogether(writes: readonly ResourceWrite[]): Promise<void> {
    for (const [type, each] of Map.groupBy(writes, ({ resourceType }) => resourceType)) {
      const { outcomes, left } = await this.#writersOf(type).bulk.write(each);
      this.#left.push(...left);
      for (const outcome of outcomes) {
        this.#inVain = 0;
        await this.#request.onOutcome(outcome);
      }
    }
  }

  async #outcomeOf(write: ResourceWrite): Promise<WriteOutcome> {
    try {
      const outcome = await this.#writersOf(write.resourceType).single.write(write);
      this.#inVain = 0;
      return outcome;
    } catch (error) {
      if (error instanceof WriteFailure) {
        this.#inVain = 0;
        return { state: 'failed', nth: write.nth, code: error.code, message: error.message };
      }
      if (!(error instanceof LockstepError)) throw error;
      const { message } = error;
      if (error.code === 'SourceUnreadable') {
        return { state: 'failed', nth: write.nth, code: 'TargetRefused', message };
      }
      if (!isPassing(error)) throw error;
      this.#inVain += 1;
      if (this.#inVain >= vainWritesInARow) throw error;
      await this.#checkIsThere();
      return { state: 'failed', nth: write.nth, code: 'TargetUnavailable', message };
    }
  }

  /** A service that answers something else errs on this write alone. */
  async #checkIsThere(): Promise<void> {
    await this.#client.get(new URL(`${this.#service.base}/Schemas`), '/Schemas');
  }

  #writersOf(resourceType: string): TypeWriters {
    const known = this.#writers.get(resourceType);
    if (known) return known;
    const type = this.#service.resourceType(resourceType);
    const access = new ResourceAccess(this.#client, this.#service, type, this.#effects);
    const place = { client: this.#client, access, effects: this.#effects, habits: this.#habits };
    const readBack = this.#request.readBack.get(resourceType) ?? [];
    const writers = {
      single: new ResourceWriter(place, readBack),
      bulk: new BulkWriter(place, readBack),
    };
    this.#writers.set(resourceType, writers);
    return writers;
  }
}

/** What writes resources of one type. */
interface TypeWriters {
  readonly single: ResourceWriter;
  readonly bulk: BulkWriter;
}
