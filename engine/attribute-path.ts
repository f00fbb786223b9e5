/** The path of an attribute of a SCIM resource (RFC 7644 §3.10 and §3.5.2): `name.givenName`, `emails[type eq "work"].value`. */

export type FilterLiteral = string | number | boolean | null;

const comparisons = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const;

/** A condition on an element of a multi-valued attribute. */
export type ValueFilter =
  | { readonly operator: 'pr'; readonly attribute: string }
  | {
      readonly operator: (typeof comparisons)[number];
      readonly attribute: string;
      readonly literal: FilterLiteral;
    }
  | {
      readonly operator: 'and' | 'or';
      readonly left: ValueFilter;
      readonly right: ValueFilter;
    }
  | { readonly operator: 'not'; readonly of: ValueFilter };

/** A path, read; names of attributes mean the same whatever their case. */
export interface AttributePath {
  /** The schema that stands before the attribute; left out, the attribute is one of the resource itself. */
  readonly schema?: string;
  readonly attribute: string;
  readonly filter?: ValueFilter;
  readonly subAttribute?: string;
}

const attributeName = '(?:[A-Za-z][A-Za-z0-9_-]*|\\$ref)';
const headPattern = new RegExp(
  `^(?:(urn:[^\\s"[\\]]+):)?(${attributeName})(?:\\.(${attributeName}))?$`,
  'i',
);
const subPattern = new RegExp(`^\\.(${attributeName})$`);

/**
 * Reads a path.
 *
 * @throws RangeError saying what is wrong with it, without the path itself
 */
export function parseAttributePath(text: string): AttributePath {
  const open = text.indexOf('[');
  const head = headPattern.exec(open === -1 ? text : text.slice(0, open));
  if (!head) throw new RangeError(`is not an attribute path such as ${examples}`);
  const [, schema, attribute = '', subAttribute] = head;
  const start = { ...(schema !== undefined && { schema }), attribute };
  if (open === -1) return { ...start, ...(subAttribute !== undefined && { subAttribute }) };
  if (subAttribute !== undefined) throw new RangeError('has a filter on a part of an attribute');
  const close = text.lastIndexOf(']');
  if (close < open) throw new RangeError('has a [ that is not closed');
  const rest = text.slice(close + 1);
  const sub = subPattern.exec(rest);
  if (rest !== '' && !sub) {
    throw new RangeError('has something other than .attribute after its filter');
  }
  const filter = new FilterParser(text.slice(open + 1, close)).parse();
  return { ...start, filter, ...(sub?.[1] !== undefined && { subAttribute: sub[1] }) };
}

const examples = 'userName, name.givenName or emails[type eq "work"].value';

const tokenPattern =
  /\s*(?:([()])|("(?:[^"\\]|\\.)*")|([A-Za-z$][A-Za-z0-9_$-]*)|(-?\d+(?:\.\d+)?))/y;

/** Reads `type eq "work" and not (primary eq true)`; `not` binds closest, then `and`, then `or`. */
class FilterParser {
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    tokenPattern.lastIndex = 0;
    let end = 0;
    for (let match = tokenPattern.exec(text); match; match = tokenPattern.exec(text)) {
      this.#tokens.push(match[0].trim());
      end = tokenPattern.lastIndex;
    }
    if (text.slice(end).trim() !== '') {
      throw new RangeError(`has a filter that cannot be read from character ${end + 1} on`);
    }
  }

  parse(): ValueFilter {
    const filter = this.#either();
    if (this.#at < this.#tokens.length) throw this.#unexpected('and, or, or the end');
    return filter;
  }

  #either(): ValueFilter {
    let left = this.#both();
    while (this.#takeWord('or')) left = { operator: 'or', left, right: this.#both() };
    return left;
  }

  #both(): ValueFilter {
    let left = this.#one();
    while (this.#takeWord('and')) left = { operator: 'and', left, right: this.#one() };
    return left;
  }

  #one(): ValueFilter {
    if (this.#takeWord('not')) return { operator: 'not', of: this.#grouped() };
    if (this.#next === '(') return this.#grouped();
    const attribute = this.#take();
    if (attribute === undefined || !/^[A-Za-z$]/.test(attribute)) {
      throw this.#unexpected('an attribute');
    }
    const operator = this.#take()?.toLowerCase();
    if (operator === 'pr') return { operator, attribute };
    const comparison = comparisons.find((each) => each === operator);
    if (!comparison) throw this.#unexpected('eq, ne, co, sw, ew, gt, ge, lt, le or pr');
    return { operator: comparison, attribute, literal: this.#literal() };
  }

  #grouped(): ValueFilter {
    if (this.#take() !== '(') throw this.#unexpected('(');
    const filter = this.#either();
    if (this.#take() !== ')') throw this.#unexpected(')');
    return filter;
  }

  #literal(): FilterLiteral {
    const token = this.#take();
    try {
      const literal: unknown = JSON.parse(token ?? '');
      if (literal === null || typeof literal !== 'object') return literal as FilterLiteral;
    } catch {
      // Said below.
    }
    throw this.#unexpected('text in double quotes, a number, true, false or null');
  }

  get #next(): string | undefined {
    return this.#tokens[this.#at];
  }

  #take(): string | undefined {
    const token = this.#next;
    this.#at += 1;
    return token;
  }

  #takeWord(word: string): boolean {
    if (this.#next?.toLowerCase() !== word) return false;
    this.#at += 1;
    return true;
  }

  #unexpected(wanted: string): RangeError {
    return new RangeError(`has a filter in which ${wanted} is missing at word ${this.#at}`);
  }
}
