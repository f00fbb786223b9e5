/** Several writes of one type in one request (RFC 7644 §3.7), where that needs fewer; what it leaves open is written one by one. */
import { LockstepError } from '../../engine/errors.ts';
import type { ResourceWrite, WriteOutcome } from '../writer.ts';
import { isJsonObject, type JsonObject, memberOf } from './attribute-value.ts';
import { memberCount } from './member-changes.ts';
import { idAt, type ReadResource } from './resource-access.ts';
import { mustReadToPatch, type WritePlace } from './resource-update.ts';
import { isDone, isGone } from './scim-client.ts';
import type { BulkLimits } from './service.ts';
import { WriteFailure } from './write-failure.ts';
import { bulkRequest, creation, patch } from './write-message.ts';
import { goneOutcome, outcomeOf, planOf, unmetPaths, type WritePlan } from './write-plan.ts';

/** More would keep a service busy for longer than a request should last. */
export const mostAtOnce = 100;

/** One request and one that reads back are no fewer than these. */
const fewestAtOnce = 3;

/** The ids of so many fit into an address. */
const readAtOnce = 50;

/** A write that can be an operation among others. */
interface Operation {
  readonly write: ResourceWrite;
  /** Undefined for a delete. */
  readonly plan: WritePlan | undefined;
  readonly message: JsonObject;
}

/** A resource that is written, as far as anybody said. */
interface Written {
  readonly write: ResourceWrite;
  readonly plan: WritePlan;
  readonly id: string;
}

/** What a request came to. */
export interface BulkOutcome {
  readonly outcomes: readonly WriteOutcome[];
  /** Neither certain to be done nor certain not to be. */
  readonly left: readonly ResourceWrite[];
}

export class BulkWriter {
  readonly #place: WritePlace;
  readonly #readBack: readonly string[];
  /** Of the resource type, below the address of the service; undefined when it is somewhere else. */
  readonly #path: string | undefined;

  /** @param readBack the paths that an outcome tells of */
  constructor(place: WritePlace, readBack: readonly string[]) {
    this.#place = place;
    this.#readBack = readBack;
    const { service, type } = place.access;
    const { href } = type.url;
    this.#path = href.startsWith(`${service.base}/`) ? href.slice(service.base.length) : undefined;
  }

  /** Never fails: whatever comes in between leaves its writes open. */
  async write(writes: readonly ResourceWrite[]): Promise<BulkOutcome> {
    const operations = writes.flatMap((write) => this.#operationOf(write) ?? []);
    const outcomes: WriteOutcome[] = [];
    const possiblyDone = new Set<number>();
    const { habits } = this.#place;
    const limits = operations.length < fewestAtOnce ? undefined : habits.bulk;
    for (const batch of limits ? batches(operations, limits) : []) {
      // It has shown that it cannot.
      if (habits.bulk === undefined) break;
      const { answers, certain } = await this.#write(batch);
      outcomes.push(...certain);
      for (const operation of batch) {
        if (!isRefused(operation, answers)) possiblyDone.add(operation.write.nth);
      }
    }
    const certain = new Set(outcomes.map(({ nth }) => nth));
    const left = writes
      .filter(({ nth }) => !certain.has(nth))
      .map((write) =>
        write.operation === 'update' && possiblyDone.has(write.nth)
          ? { ...write, mayBeDone: true }
          : write,
      );
    return { outcomes, left };
  }

  /** @returns undefined for what only requests of its own can make sure of */
  #operationOf(write: ResourceWrite): Operation | undefined {
    const { access, effects, habits } = this.#place;
    const path = this.#path;
    if (path === undefined) return undefined;
    const bulkId = String(write.nth);
    const pathOf = (id: string) => `${path}/${encodeURIComponent(id)}`;
    if (write.operation === 'delete') {
      if (write.id === null || effects.lyingAnswers) return undefined;
      const message = { method: 'DELETE', path: pathOf(write.id), bulkId };
      return { write, plan: undefined, message };
    }
    const plan = this.#planOf(write);
    if (plan === undefined || memberCount(plan.members) > habits.membersAtOnce) return undefined;
    if (write.operation === 'create') {
      // Nobody but the service could tell whether it is there twice, once the answer is lost.
      if (!access.isUnique(plan.key.path)) return undefined;
      if (habits.createWithoutMembers && plan.members.length > 0) return undefined;
      return {
        write,
        plan,
        message: { method: 'POST', path, bulkId, data: creation(plan, access) },
      };
    }
    if (write.id === null || write.mayBeDone || !habits.canPatch) return undefined;
    if (mustReadToPatch(plan, this.#place)) return undefined;
    const data = patch(undefined, plan, access, habits.replaceAdds);
    return { write, plan, message: { method: 'PATCH', path: pathOf(write.id), bulkId, data } };
  }

  /** @returns undefined when there is something wrong, which a request of its own will tell */
  #planOf(write: Exclude<ResourceWrite, { operation: 'delete' }>): WritePlan | undefined {
    try {
      return planOf(write, this.#place.access, this.#readBack, this.#place.effects);
    } catch (error) {
      if (error instanceof WriteFailure) return undefined;
      throw error;
    }
  }

  async #write(
    batch: readonly Operation[],
  ): Promise<{ answers: Answers; certain: readonly WriteOutcome[] }> {
    let answers: Answers = 'lost';
    try {
      answers = await this.#send(batch);
      const all = batch.flatMap((operation) => written(operation, answers) ?? []);
      return { answers, certain: [...deleted(batch, answers), ...(await this.#readAll(all))] };
    } catch (error) {
      if (!(error instanceof LockstepError) && !(error instanceof WriteFailure)) throw error;
      // Whether it is the service or this request, the next ones on their own will tell.
      this.#place.habits.bulk = undefined;
      return { answers, certain: [] };
    }
  }

  async #send(batch: readonly Operation[]): Promise<Answers> {
    const { client, access, habits } = this.#place;
    const answer = await client.write({
      method: 'POST',
      url: new URL(`${access.service.base}/Bulk`),
      body: bulkRequest(batch.map(({ message }) => message)),
      what: `a request of ${batch.length} writes to ${access.type.name}s`,
      // What was done of it is looked at, and never sent twice.
      wasDone: async () => true,
    });
    if (answer === undefined) return 'lost';
    const list = isJsonObject(answer.body) ? memberOf(answer.body, 'Operations') : undefined;
    if (isDone(answer) && Array.isArray(list)) {
      return new Map(list.filter(isJsonObject).map((each) => [nameOf(each), each]));
    }
    habits.bulk = undefined;
    return isDone(answer) ? 'lost' : 'refused';
  }

  /** Those that are as they should be. */
  async #readAll(all: readonly Written[]): Promise<WriteOutcome[]> {
    const { access, habits } = this.#place;
    const outcomes: WriteOutcome[] = [];
    for (let from = 0; from < all.length; from += readAtOnce) {
      const some = all.slice(from, from + readAtOnce);
      const paths = new Set(some.flatMap(({ plan }) => plan.paths));
      const found = await access.readAll(
        some.map(({ id }) => id),
        [...paths],
      );
      if (found === undefined) {
        habits.bulk = undefined;
        return outcomes;
      }
      for (const each of some) outcomes.push(...this.#outcomeOf(each, found.get(each.id)));
    }
    return outcomes;
  }

  #outcomeOf({ write, plan }: Written, read: ReadResource | undefined): WriteOutcome[] {
    const { access } = this.#place;
    if (read === undefined || unmetPaths(read, plan, access).length > 0) return [];
    return [outcomeOf(write, { read, unmet: [] }, this.#readBack, access)];
  }
}

/** As many in one request as the service takes. */
function batches(operations: readonly Operation[], limits: BulkLimits): Operation[][] {
  const empty = Buffer.byteLength(JSON.stringify(bulkRequest([])));
  const full: Operation[][] = [];
  let batch: Operation[] = [];
  let bytes = empty;
  for (const operation of operations) {
    const size = Buffer.byteLength(JSON.stringify(operation.message)) + 1;
    if (empty + size > limits.bytes) continue;
    if (batch.length === limits.operations || bytes + size > limits.bytes) {
      full.push(batch);
      batch = [];
      bytes = empty;
    }
    batch.push(operation);
    bytes += size;
  }
  return [...full, batch].filter(({ length }) => length > 0);
}

/** To operations by their names; `lost` when there are none, `refused` when nothing was done. */
type Answers = ReadonlyMap<string, JsonObject> | 'lost' | 'refused';

/** Services must give the `bulkId` back of what they create, and of the rest where it is. */
function nameOf(answer: JsonObject): string {
  const bulkId = memberOf(answer, 'bulkId');
  return bulkId === undefined ? `of ${idAt(locationOf(answer))}` : String(bulkId);
}

function locationOf(answer: JsonObject): string | undefined {
  const location = memberOf(answer, 'location');
  return typeof location === 'string' ? location : undefined;
}

function answerTo({ write }: Operation, answers: Answers): JsonObject | undefined {
  if (typeof answers === 'string') return undefined;
  const id = write.operation === 'create' ? null : write.id;
  return answers.get(String(write.nth)) ?? (id === null ? undefined : answers.get(`of ${id}`));
}

function statusOf(operation: Operation, answers: Answers): number | undefined {
  const answer = answerTo(operation, answers);
  const status = Number(answer && memberOf(answer, 'status'));
  return Number.isNaN(status) ? undefined : status;
}

/** Whether an operation was not done for certain. */
function isRefused(operation: Operation, answers: Answers): boolean {
  const status = statusOf(operation, answers);
  return answers === 'refused' || (status !== undefined && !isDone({ status }));
}

function deleted(batch: readonly Operation[], answers: Answers): WriteOutcome[] {
  const gone = batch.filter((operation) => {
    const status = statusOf(operation, answers) ?? 0;
    return operation.write.operation === 'delete' && (isDone({ status }) || isGone({ status }));
  });
  return gone.map(({ write }) => goneOutcome(write));
}

/** @returns undefined for what was refused, and for what cannot be found without its key */
function written(operation: Operation, answers: Answers): Written | undefined {
  const { write, plan } = operation;
  if (plan === undefined || write.operation === 'delete') return undefined;
  if (isRefused(operation, answers)) return undefined;
  if (write.operation === 'update')
    return write.id === null ? undefined : { write, plan, id: write.id };
  const answer = answerTo(operation, answers);
  const id = idAt(answer && locationOf(answer));
  return id === undefined ? undefined : { write, plan, id };
}
