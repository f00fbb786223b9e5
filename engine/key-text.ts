/** What a text must be to identify a resource: visible, and short enough for an index. */

/** An entry of PostgreSQL's indexes has at most 2,704 bytes, and a searchable value stands beside its key. */
const longestKey = 1000;
const longestSearchable = 1500;

/** Controls, and characters that show nothing: soft hyphen, zero-width space and joins of words, marks of direction. */
const invisible =
  /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/u;
const allInvisible = new RegExp(invisible.source, 'gu');

/** Quotes of a word processor. They quote nothing, so they would become part of the key. */
const typographicQuotes = /^[“”„«‹].*[”“»›]$/su;

/** Nearly every key: short, and of characters that everybody sees. */
const longestPlain = 250;
const plain = new RegExp(`^[ -~]{1,${longestPlain}}$`);

/** True for a short UTF-8 text without white space around it; {@link searchProblem} has nothing to say against it. */
export function isPlainText(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  return (
    length >= 1 && length <= longestPlain && isVisible(bytes[start]) && isVisible(bytes[end - 1])
  );
}

/** The same for {@link keyProblem}. */
export function isPlainKey(bytes: Uint8Array, start: number, end: number): boolean {
  if (!isPlainText(bytes, start, end)) return false;
  for (let at = start + 1; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return true;
}

function isVisible(byte: number | undefined): boolean {
  return byte !== undefined && byte > 0x20 && byte < 0x7f;
}

/** Says why a text cannot be a key, or refer to one; undefined when it can. */
export function keyProblem(key: string): string | undefined {
  if (plain.test(key)) return undefined;
  const hidden = invisible.exec(key)?.[0];
  if (hidden !== undefined) {
    const code = (hidden.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0');
    return `holds a character that cannot be seen (U+${code})`;
  }
  if (typographicQuotes.test(key))
    return 'stands in typographic quotes, which quote nothing in CSV';
  return tooLong(key, longestKey);
}

/** Says why a text cannot be the value of a searchable property; undefined when it can. */
export function searchProblem(value: string): string | undefined {
  const problem = tooLong(value, longestSearchable);
  return problem && `${problem}, which is too long for a searchable property`;
}

function tooLong(text: string, most: number): string | undefined {
  // A character of UTF-16 is three bytes of UTF-8 at most.
  if (text.length * 3 <= most || new TextEncoder().encode(text).length <= most) return undefined;
  return `is longer than ${most} bytes`;
}

/** A text as people see it: what may have been meant by a key with a problem. */
export function visibleText(text: string): string {
  const bare = text.replaceAll(allInvisible, '').trim();
  return typographicQuotes.test(bare) ? bare.slice(1, -1).trim() : bare;
}
