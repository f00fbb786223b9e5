/** A problem of the configuration, with its place in the file, and the names that come nearest to a wrong one. */
import { closest, distance } from 'fastest-levenshtein';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { LockstepError } from '../engine/errors.ts';

export interface Finding {
  /** Path in the file: `entityTypes.sab_user.key`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Suggests the nearest of the valid names when it is near enough to be a slip, else lists what there is. */
export function didYouMean(wrong: string, valid: readonly string[]): string {
  if (valid.length === 0) return '';
  const nearest = closest(wrong, [...valid]);
  const near =
    distance(wrong.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, wrong.length / 3);
  return near ? `; did you mean “${nearest}”?` : `; there is ${valid.join(', ')}`;
}

/** Where each path of a YAML text stands. */
export class YamlPlaces {
  readonly #document;
  readonly #lines = new LineCounter();

  constructor(text: string) {
    this.#document = parseDocument(text, { lineCounter: this.#lines });
  }

  /** Line of the nearest enclosing node that exists, counted from 1. */
  lineOf(path: readonly (string | number)[]): number {
    for (let length = path.length; length > 0; length--) {
      const node = this.#document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return this.#lines.linePos(node.range[0]).line;
    }
    return 1;
  }
}

/** One error that lists every finding with its line and path. */
export function configurationError(
  file: string,
  findings: readonly Finding[],
  places?: YamlPlaces,
): LockstepError {
  const lines = findings.map(({ path, message }) => {
    const place = places ? `${file}:${places.lineOf(path)}` : file;
    return `${place}  ${path.length === 0 ? '' : `${path.join('.')}: `}${message}`;
  });
  const many = findings.length === 1 ? 'one problem' : `${findings.length} problems`;
  return new LockstepError('ConfigurationInvalid', `${file} has ${many}:\n${lines.join('\n')}`);
}
