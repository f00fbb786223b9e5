/** Writes resources of one type, each with the fewest requests that make sure of it, and says what became of it. */
import type { ResourceWrite, WriteOutcome } from '../writer.ts';
import { splitMembers } from './member-changes.ts';
import { idAt, type ReadResource } from './resource-access.ts';
import { ResourceUpdate, readBack, type WritePlace } from './resource-update.ts';
import { isDone, isGone, type ScimAnswer } from './scim-client.ts';
import { goneFailure, refusal, WriteFailure } from './write-failure.ts';
import { creation } from './write-message.ts';
import {
  cellsOf,
  goneOutcome,
  outcomeOf,
  planOf,
  unmetPaths,
  type WritePlan,
  type WrittenResource,
} from './write-plan.ts';

type Update = Extract<ResourceWrite, { operation: 'update' }>;
type Delete = Extract<ResourceWrite, { operation: 'delete' }>;

export class ResourceWriter {
  readonly #place: WritePlace;
  readonly #readBack: readonly string[];

  /** @param readBack the paths that an outcome tells of */
  constructor(place: WritePlace, readBack: readonly string[]) {
    this.#place = place;
    this.#readBack = readBack;
  }

  /** @throws WriteFailure when it cannot be done, and whatever asking does */
  async write(write: ResourceWrite): Promise<WriteOutcome> {
    if (write.operation === 'delete') return await this.#delete(write);
    const { access, effects } = this.#place;
    const plan = planOf(write, access, this.#readBack, effects);
    const written = await (write.operation === 'create'
      ? this.#create(plan)
      : this.#update(plan, write));
    return outcomeOf(write, written, this.#readBack, access);
  }

  async #update(plan: WritePlan, { id, mayBeDone = false }: Update): Promise<WrittenResource> {
    const { access } = this.#place;
    if (id !== null && !mayBeDone) return await new ResourceUpdate(this.#place, plan, id).run();
    const found = id === null ? await this.#find(plan) : await access.read(id, plan.paths);
    if (found === undefined) throw goneFailure(access.type.name);
    return await new ResourceUpdate(this.#place, plan, found.id).run(found);
  }

  /** One that is there already, of an earlier attempt or of whoever was faster, is taken over. */
  async #create(plan: WritePlan): Promise<WrittenResource> {
    const { client, access, habits } = this.#place;
    const { type } = access;
    let found = access.isUnique(plan.key.path) ? undefined : await this.#find(plan);
    if (found === undefined) {
      const what = `the creation of a ${type.name}`;
      const [first] = splitMembers(
        plan.members,
        habits.createWithoutMembers ? 0 : habits.membersAtOnce,
      );
      const answer = await client.write({
        method: 'POST',
        url: type.url,
        body: creation({ edits: plan.edits, members: first }, access),
        what,
        wasDone: async () => {
          found = await this.#find(plan, { fresh: true });
          return found !== undefined;
        },
      });
      if (answer?.status === 409) found = await this.#find(plan, { fresh: true });
      if (answer && found === undefined) {
        if (!isDone(answer)) throw refusal(what, answer);
        return await this.#complete(plan, answer);
      }
    }
    if (found === undefined) throw goneFailure(type.name);
    return await new ResourceUpdate(this.#place, plan, found.id).run(found);
  }

  /** What a creation has left out is put right once. */
  async #complete(plan: WritePlan, answer: ScimAnswer): Promise<WrittenResource> {
    const { access } = this.#place;
    const id = access.readOf(answer)?.id ?? idAt(answer.location) ?? (await this.#find(plan))?.id;
    if (id === undefined) {
      throw new WriteFailure(
        'TargetRefused',
        `the creation of a ${access.type.name} is said to be done (${answer.status}), and it is not there`,
      );
    }
    const after = await readBack(this.#place, plan, id, answer);
    const unmet = unmetPaths(after, plan, access);
    if (unmet.length === 0) return { read: after, unmet };
    return await new ResourceUpdate(this.#place, plan, id).run(after);
  }

  async #delete(write: Delete): Promise<WriteOutcome> {
    const { nth, id, key } = write;
    const { client, access, effects } = this.#place;
    const known = id ?? (await access.find(key, [key.path]))?.id;
    if (known === undefined) return goneOutcome(write);
    const what = `the deletion of a ${access.type.name}`;
    const answer = await client.write({ method: 'DELETE', url: access.urlOf(known), what });
    if (isGone(answer)) return goneOutcome(write);
    if (!isDone(answer)) throw refusal(what, answer);
    const left = effects.lyingAnswers
      ? await access.read(known, [key.path, ...this.#readBack])
      : undefined;
    if (left === undefined) return goneOutcome(write);
    const cells = cellsOf(left, this.#readBack, access);
    return { state: 'not-applied', nth, id: known, cells, paths: [key.path] };
  }

  #find(
    { key, paths }: WritePlan,
    options?: { fresh: boolean },
  ): Promise<ReadResource | undefined> {
    return this.#place.access.find(key, paths, options);
  }
}
