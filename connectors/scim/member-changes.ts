/** Members that come and go, cut into pieces that a service takes at once, and done to a list of them. */
import type { MembersWrite } from '../writer.ts';
import { asElement } from './attribute-value.ts';
import type { PatchOperation } from './patch-operations.ts';
import { memberId } from './write-check.ts';

/** Takes the first so many members; gives them and the rest. */
export function splitMembers(
  members: readonly MembersWrite[],
  count: number,
): readonly [first: MembersWrite[], rest: MembersWrite[]] {
  let left = count;
  const first: MembersWrite[] = [];
  const rest: MembersWrite[] = [];
  for (const { attribute, added, removed } of members) {
    const leaving = removed.slice(0, left);
    left -= leaving.length;
    const coming = added.slice(0, left);
    left -= coming.length;
    first.push({ attribute, added: coming, removed: leaving });
    rest.push({
      attribute,
      added: added.slice(coming.length),
      removed: removed.slice(leaving.length),
    });
  }
  return [first.filter(isSome), rest.filter(isSome)];
}

/** How many come and go. */
export function memberCount(members: readonly MembersWrite[]): number {
  return members.reduce((sum, { added, removed }) => sum + added.length + removed.length, 0);
}

function isSome({ added, removed }: MembersWrite): boolean {
  return added.length + removed.length > 0;
}

/** Each member by its value, so that nobody else's membership is touched. */
export function memberOperations(members: readonly MembersWrite[]): PatchOperation[] {
  return members.flatMap(({ attribute, added, removed }): PatchOperation[] => [
    ...removed.map((id): PatchOperation => {
      return { op: 'remove', path: `${attribute}[value eq ${JSON.stringify(id)}]` };
    }),
    ...(added.length === 0
      ? []
      : [{ op: 'add' as const, path: attribute, value: added.map((value) => ({ value })) }]),
  ]);
}

/** The members there will be. */
export function changedMembers(
  elements: readonly unknown[],
  { added, removed }: MembersWrite,
): unknown[] {
  const leaving = new Set(removed);
  const kept = elements.filter((element) => !leaving.has(memberId(asElement(element))));
  const known = new Set(kept.map((element) => memberId(asElement(element))));
  return [...kept, ...added.filter((id) => !known.has(id)).map((value) => ({ value }))];
}
