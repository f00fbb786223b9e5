/** Which reactions a mapping may say. */
import type { Mapping, Situation } from '../engine/mapping.ts';
import { neededOperation, possibleReactions } from '../engine/reaction.ts';

/** A reaction that would guess, or that nothing is allowed to carry out, is refused rather than ignored. */
export function checkReactions(
  said: Mapping['reactions'],
  operations: Mapping['operations'],
  report: (path: readonly string[], message: string) => void,
): void {
  for (const [name, reaction] of Object.entries(said)) {
    const path = ['situations', name];
    const possible = possibleReactions[name as Situation];
    const needed = neededOperation[reaction];
    if (name === 'sourceMissing') {
      report(path, 'is said by onSourceMissing');
    } else if (!possible.includes(reaction)) {
      report(path, `${reaction} is none of what can be done about it: ${possible.join(', ')}`);
    } else if (needed !== undefined && !operations.includes(needed)) {
      report(path, `needs the operation ${needed}, which operations does not have`);
    }
  }
}
