/** From the bytes of a file to UTF-8; bytes that mean nothing in its encoding, and NUL, are refused with their line. */
import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { LockstepError } from '../../engine/errors.ts';
import { refuseNul } from './plain-text.ts';

export type Encoding =
  | 'utf-8'
  | 'utf-16le'
  | 'utf-16be'
  | 'windows-1252'
  | 'iso-8859-1'
  | 'iso-8859-15';

/** Turns chunks of a file into UTF-8 without a byte order mark. */
export interface Decoder {
  push(chunk: Buffer): Buffer;
  end(): Buffer;
}

/** The configured encoding; with `auto` what the byte order mark says, else UTF-8. A mark always wins over a guess. */
export function chooseEncoding(configured: Encoding | 'auto', start: Buffer): Encoding {
  if (configured !== 'auto') return configured;
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** How many bytes of a byte order mark come before UTF-8: 3, or 0 where there is none or the encoding is another. */
export function markLength(encoding: Encoding, start: Buffer): number {
  return encoding === 'utf-8' && start.subarray(0, 3).equals(byteOrderMark) ? 3 : 0;
}

/** @throws LockstepError `SourceUnreadable` from `push` or `end`, naming the line of an invalid byte. */
export function createDecoder(encoding: Encoding, source: string): Decoder {
  return encoding === 'utf-8' ? new Utf8Decoder(source) : new OtherDecoder(encoding, source);
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** Lets valid UTF-8 pass as it is. */
class Utf8Decoder implements Decoder {
  readonly #source: string;
  #carry: Buffer = Buffer.alloc(0);
  #line = 1;
  #first = true;

  constructor(source: string) {
    this.#source = source;
  }

  push(chunk: Buffer): Buffer {
    let bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    if (this.#first && bytes.length >= 3) {
      this.#first = false;
      if (bytes.subarray(0, 3).equals(byteOrderMark)) bytes = bytes.subarray(3);
    }
    const whole = this.#first ? 0 : wholeCharacters(bytes);
    // A copy: the chunk is not ours.
    this.#carry = Buffer.from(bytes.subarray(whole));
    return this.#checked(bytes.subarray(0, whole));
  }

  end(): Buffer {
    return this.#checked(this.#carry);
  }

  #checked(bytes: Buffer): Buffer {
    // First: in UTF-16 that is taken for UTF-8 they tell more than the bytes that are wrong.
    refuseNul(bytes, this.#source, this.#line);
    if (!isUtf8(bytes)) throw this.#invalid(bytes);
    this.#line += countLines(bytes);
    return bytes;
  }

  #invalid(bytes: Buffer): LockstepError {
    // Lines are decoded one by one only now that one is known to be wrong.
    let start = 0;
    let line = this.#line;
    for (;;) {
      const end = bytes.indexOf(0x0a, start);
      const text = bytes.subarray(start, end === -1 ? bytes.length : end);
      if (!isUtf8(text) || end === -1) return notInEncoding(this.#source, line, 'UTF-8');
      start = end + 1;
      line += 1;
    }
  }
}

/** How many of the bytes are whole characters: an unfinished sequence of at most 3 bytes may be at the end. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

/** So many words are counted before a sum of one byte could overflow. */
const wordsAtOnce = 255;

/** Four bytes at a time, without a branch: a sum for each of them. */
export function countLines(bytes: Buffer): number {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const whole = bytes.length & ~3;
  let lines = 0;
  let at = 0;
  while (at < whole) {
    const end = Math.min(whole, at + wordsAtOnce * 4);
    let sums = 0;
    for (; at < end; at += 4) {
      const zeros = words.getInt32(at) ^ 0x0a0a0a0a;
      // The highest bit of each byte that is zero (Warren, Hacker's Delight, section 6-1), as its lowest.
      sums += ~(((zeros & 0x7f7f7f7f) + 0x7f7f7f7f) | zeros | 0x7f7f7f7f) >>> 7;
    }
    lines += (sums & 0xff) + ((sums >>> 8) & 0xff) + ((sums >>> 16) & 0xff) + (sums >>> 24);
  }
  for (; at < bytes.length; at++) if (bytes[at] === 0x0a) lines += 1;
  return lines;
}

/** Decodes with iconv-lite, which puts U+FFFD where bytes mean nothing; our files are refused instead. */
class OtherDecoder implements Decoder {
  readonly #source: string;
  readonly #encoding: Encoding;
  readonly #decoder;
  #line = 1;
  /** The first half of a character beyond U+FFFF whose second half is in the next chunk. */
  #half = '';
  #bytes = 0;

  constructor(encoding: Encoding, source: string) {
    this.#encoding = encoding;
    this.#source = source;
    this.#decoder = iconv.getDecoder(encoding);
  }

  push(chunk: Buffer): Buffer {
    this.#bytes += chunk.length;
    const text = this.#half + this.#decoder.write(chunk);
    this.#half = /[\uD800-\uDBFF]$/.exec(text)?.[0] ?? '';
    return this.#checked(text.slice(0, text.length - this.#half.length));
  }

  end(): Buffer {
    // iconv-lite passes over half a unit of UTF-16 at the end.
    const cut = this.#encoding.startsWith('utf-16') && this.#bytes % 2 === 1 ? '\uFFFD' : '';
    return this.#checked(this.#half + (this.#decoder.end() ?? '') + cut);
  }

  #checked(text: string): Buffer {
    // Half a character would be written as U+FFFD.
    const wrong = text.toWellFormed().indexOf('\uFFFD');
    if (wrong !== -1) {
      const line = this.#line + text.slice(0, wrong).split('\n').length - 1;
      throw notInEncoding(this.#source, line, this.#encoding);
    }
    const bytes = Buffer.from(text, 'utf8');
    refuseNul(bytes, this.#source, this.#line);
    this.#line += countLines(bytes);
    return bytes;
  }
}

function notInEncoding(source: string, line: number, encoding: string): LockstepError {
  return new LockstepError(
    'SourceUnreadable',
    `${source} line ${line}: bytes that are not ${encoding}`,
    {
      hint: `Set “encoding” of the connector to what the file really is (windows-1252 is the usual one), or have it exported as UTF-8.`,
    },
  );
}
