/** Changes what differs in a resource that is there, and makes sure of it. */
import { type AttributePath, parseAttributePath } from '../../engine/attribute-path.ts';
import { LockstepError } from '../../engine/errors.ts';
import type { QuirkEffects } from '../../engine/scim-quirk.ts';
import { type AttributeEdit, elementsOf, matching } from './attribute-edit.ts';
import { attributeOf, cellAt } from './attribute-value.ts';
import { memberCount, splitMembers } from './member-changes.ts';
import { needsReading } from './patch-operations.ts';
import type { ReadResource, ResourceAccess } from './resource-access.ts';
import { resourceCell } from './resource-cell.ts';
import { isDone, isGone, type ScimAnswer, type ScimClient } from './scim-client.ts';
import type { BulkLimits } from './service.ts';
import { unmetEdits } from './write-check.ts';
import { goneFailure, refusal, WriteFailure } from './write-failure.ts';
import { type Changes, patch, replacement } from './write-message.ts';
import { remaining, unmetPaths, type WritePlan, type WrittenResource } from './write-plan.ts';

/** What is found out about a service while it is written to; one for a run. */
export interface WritingHabits {
  canPatch: boolean;
  replaceAdds: boolean;
  createWithoutMembers: boolean;
  /** What several writes in one request may come to; undefined where each has its own. */
  bulk: BulkLimits | undefined;
  /** So many members come and go in one request. */
  membersAtOnce: number;
}

/** As often as any other request is sent. */
const maximumAnswersLost = 6;

/** Where a resource is changed, and how. */
export interface WritePlace {
  readonly client: ScimClient;
  readonly access: ResourceAccess;
  readonly effects: Omit<QuirkEffects, 'meaning'>;
  readonly habits: WritingHabits;
}

type Way = 'PATCH' | 'PUT';

/** One resource on its way to what a plan wants. */
export class ResourceUpdate {
  readonly #place: WritePlace;
  readonly #plan: WritePlan;
  readonly #id: string;
  /** As it was read last; undefined as long as nobody had to know. */
  #current: ReadResource | undefined;
  /** Whether that is all of it, and may be put back. */
  #isWhole = false;
  #isSentTwice = false;
  #isMended = false;
  #answersLost = 0;

  constructor(place: WritePlace, plan: WritePlan, id: string) {
    this.#place = place;
    this.#plan = plan;
    this.#id = id;
  }

  /**
   * Writes what is missing; most updates are one request.
   *
   * @param known what is there, where that was just read
   * @throws WriteFailure, and whatever asking does
   */
  async run(known?: ReadResource): Promise<WrittenResource> {
    const { access, habits } = this.#place;
    if (known && !this.#isOpen(known)) return this.#written(known);
    this.#current = known;
    for (;;) {
      // Another write may have found out meanwhile.
      const way = habits.canPatch ? 'PATCH' : 'PUT';
      if (way === 'PUT' && !this.#isWhole) this.#current = undefined;
      if (this.#current === undefined && this.#mustRead(way)) this.#current = await this.#read(way);
      const changes = this.#current ? remaining(this.#current, this.#plan, access) : this.#plan;
      if (changes.edits.length === 0 && changes.members.length === 0) {
        return this.#written(this.#current ?? (await this.#read(way)));
      }
      const answer = await (way === 'PATCH' ? this.#patch(changes) : this.#put(changes));
      if (answer === undefined) {
        this.#current = await this.#read(way);
      } else if (isDone(answer)) {
        const after = await readBack(this.#place, this.#plan, this.#id, answer);
        if (!this.#isOpen(after) || !this.#canMend(after)) return this.#written(after);
        this.#current = after;
        this.#isWhole = false;
      } else {
        await this.#reconsider(answer, way);
      }
    }
  }

  #mustRead(way: Way): boolean {
    return way === 'PUT' || mustReadToPatch(this.#plan, this.#place);
  }

  async #read(way: Way): Promise<ReadResource> {
    const { access } = this.#place;
    const read = await access.read(this.#id, way === 'PATCH' ? this.#plan.paths : undefined);
    if (read === undefined) throw goneFailure(access.type.name);
    this.#isWhole = way === 'PUT';
    return read;
  }

  #isOpen(read: ReadResource): boolean {
    return unmetPaths(read, this.#plan, this.#place.access).length > 0;
  }

  #written(read: ReadResource): WrittenResource {
    return { read, unmet: unmetPaths(read, this.#plan, this.#place.access) };
  }

  /** Members go in pieces; the first takes the attributes along. */
  async #patch({ edits, members }: Changes): Promise<ScimAnswer | undefined> {
    const { client, access, habits } = this.#place;
    const what = `the change of a ${access.type.name}`;
    let version = this.#current?.version;
    let open = members;
    for (;;) {
      const [piece, rest] = splitMembers(open, habits.membersAtOnce);
      const isLast = rest.length === 0;
      const own = { edits: open === members ? edits : [], members: piece };
      const answer = await client.write({
        method: 'PATCH',
        // No `attributes`: there are servers that forget all others then.
        url: access.urlOf(this.#id),
        body: patch(this.#current?.resource, own, access, habits.replaceAdds),
        ifMatch: version,
        what,
        wasDone: async () => this.#mustLookFirst(own),
      });
      if (answer === undefined) return undefined;
      const count = memberCount(piece);
      if (answer.status === 413 && count > 1) {
        habits.membersAtOnce = Math.ceil(count / 2);
      } else if (isLast || !isDone(answer)) {
        return answer;
      } else {
        open = rest;
        version = access.service.capabilities.etag ? answer.etag : undefined;
      }
    }
  }

  /** What adds may add twice when it is sent again; what replaces and removes may not. */
  #mustLookFirst({ edits, members }: Changes): boolean {
    const mayAdd = this.#current !== undefined && edits.some(({ isList }) => isList);
    if (!mayAdd && members.every(({ added }) => added.length === 0)) return false;
    this.#answersLost += 1;
    if (this.#answersLost <= maximumAnswersLost) return true;
    throw new LockstepError(
      'SourceUnavailable',
      `the answers to the change of a ${this.#place.access.type.name} are lost again and again`,
      { fault: 'TCP' },
    );
  }

  async #put(changes: Changes): Promise<ScimAnswer> {
    const { client, access } = this.#place;
    return await client.write({
      method: 'PUT',
      url: access.urlOf(this.#id),
      body: replacement(this.#current?.resource ?? {}, changes, access),
      ifMatch: this.#current?.version,
      what: `the change of a ${access.type.name}`,
    });
  }

  /** What a refusal means: to try in another way, or that it is one. */
  async #reconsider(answer: ScimAnswer, way: Way): Promise<void> {
    const { access, habits } = this.#place;
    const { status } = answer;
    if (isGone(answer)) throw goneFailure(access.type.name);
    if ((status === 405 || status === 501) && way === 'PATCH') {
      habits.canPatch = false;
    } else if (status === 412 || status === 428) {
      const fresh = await this.#read(way);
      if (this.#isSentTwice || this.#hasMoved(fresh)) {
        throw new WriteFailure(
          'TargetChanged',
          `the ${access.type.name} was changed by somebody else while it was written`,
        );
      }
      this.#isSentTwice = this.#current !== undefined;
      this.#current = fresh;
    } else if (status === 400 && this.#current === undefined && this.#plan.edits.some(isPart)) {
      // An element that is not there cannot be replaced, only added; for some services, neither can a part of it.
      this.#current = await this.#read(way);
    } else {
      throw refusal(`the change of a ${access.type.name}`, answer);
    }
  }

  /** Whether what is to be changed was changed by somebody else since it was read. */
  #hasMoved(fresh: ReadResource): boolean {
    const before = this.#current;
    if (before === undefined) return false;
    const { access } = this.#place;
    return unmetEdits(fresh.resource, this.#plan.edits, access).some(({ path }) => {
      const cell = ({ resource }: ReadResource) => resourceCell(resource, path, access);
      return cell(fresh) !== cell(before);
    });
  }

  /** Whether the answer was yes and an element is missing, or stands there twice: then what is there is known now. */
  #canMend(after: ReadResource): boolean {
    const { access, habits } = this.#place;
    if (this.#isMended || !habits.canPatch || access.service.version === '1.1') return false;
    this.#isMended = true;
    const open = unmetEdits(after.resource, this.#plan.edits, access).filter(isFiltered);
    const found = open.map((edit) =>
      matching(elementsOf(attributeOf(after.resource, edit.path)), edit),
    );
    if (open.some((edit, index) => hasBoth(edit, found[index] ?? []))) {
      habits.replaceAdds = true;
      return true;
    }
    return this.#current === undefined && found.some((elements) => elements.length === 0);
  }
}

/** Whether a PATCH cannot be said without knowing what is there. */
export function mustReadToPatch(
  { edits, members }: Changes,
  { access, habits }: WritePlace,
): boolean {
  if (edits.length === 0 && members.length === 0) return true;
  const isOlder = access.service.version === '1.1';
  return edits.some(
    (edit) => needsReading(edit) || (edit.isList && (isOlder || habits.replaceAdds)),
  );
}

function isPart({ path }: AttributeEdit): boolean {
  return path.filter !== undefined || path.subAttribute !== undefined;
}

function isFiltered({ path }: AttributeEdit): boolean {
  return path.filter !== undefined;
}

/** The new value beside another one: what was to be replaced was added to. */
function hasBoth({ path, value }: AttributeEdit, elements: readonly unknown[]): boolean {
  const alone = { attribute: 'one', subAttribute: path.subAttribute ?? 'value' };
  const texts = elements.map((element) => cellAt({ one: element }, alone));
  return texts.length > 1 && value !== null && texts.includes(String(value));
}

/** @returns what an answer to a write holds where it shows all that was wanted, else what is read with a request of its own */
export async function readBack(
  { access, effects }: WritePlace,
  plan: WritePlan,
  id: string,
  answer: ScimAnswer,
): Promise<ReadResource> {
  const shown = effects.lyingAnswers ? undefined : access.readOf(answer);
  if (shown?.id === id && unmetPaths(shown, plan, access).length === 0) {
    // What holds no key is a part of the resource only; and members may be kept out of answers.
    const key = resourceCell(shown.resource, parseAttributePath(plan.key.path), access);
    const lists = plan.paths.map(parseAttributePath).filter((path) => isWholeList(path, access));
    const isThere = (path: AttributePath) => attributeOf(shown.resource, path) !== undefined;
    if (key !== '' && lists.every(isThere)) return shown;
  }
  const read = await access.read(id, plan.paths);
  if (read === undefined) throw goneFailure(access.type.name);
  return read;
}

/** True for `members` and its like. */
function isWholeList(path: AttributePath, { type }: ResourceAccess): boolean {
  if (path.filter !== undefined || path.subAttribute !== undefined) return false;
  const attribute = type.schema?.attributeAt(path);
  return attribute?.isMultiValued ?? path.attribute.toLowerCase() === 'members';
}
