/** Something in a file that is no text of its encoding, before it is known on which line. */
import type { LockstepError } from '../../engine/errors.ts';

export class TextFault extends Error {
  /** How many lines of the piece that was decoded last come before it. */
  readonly linesBefore: number;
  readonly #errorAt: (line: number) => LockstepError;

  constructor(linesBefore: number, errorAt: (line: number) => LockstepError) {
    super('the text has a fault');
    this.linesBefore = linesBefore;
    this.#errorAt = errorAt;
  }

  /** @param piece the line on which that piece begins */
  errorIn(piece: number): LockstepError {
    return this.#errorAt(piece + this.linesBefore);
  }
}

/** How many lines end within these bytes of UTF-8. */
export function lineEnds(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) count += 1;
  return count;
}
