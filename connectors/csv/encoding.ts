/** From the bytes of a file to UTF-8; bytes that mean nothing in its encoding, and NUL, are refused. */
import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { LockstepError } from '../../engine/errors.ts';
import { refuseNul } from './plain-text.ts';
import { lineEnds, TextFault } from './text-fault.ts';

export type Encoding =
  | 'utf-8'
  | 'utf-16le'
  | 'utf-16be'
  | 'windows-1252'
  | 'iso-8859-1'
  | 'iso-8859-15';

/** Turns chunks of a file into UTF-8 without a byte order mark. It counts no lines: that is for the file that has a fault. */
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

/** @throws TextFault from `push` or `end` at an invalid byte */
export function createDecoder(encoding: Encoding, source: string): Decoder {
  return encoding === 'utf-8' ? new Utf8Decoder(source) : new OtherDecoder(encoding, source);
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** Lets valid UTF-8 pass as it is. */
class Utf8Decoder implements Decoder {
  readonly #source: string;
  #carry: Buffer = Buffer.alloc(0);
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
    refuseNul(bytes, this.#source);
    if (!isUtf8(bytes)) throw this.#invalid(bytes);
    return bytes;
  }

  #invalid(bytes: Buffer): TextFault {
    // Lines are decoded one by one only now that one is known to be wrong.
    let start = 0;
    for (let lines = 0; ; lines += 1) {
      const end = bytes.indexOf(0x0a, start);
      const text = bytes.subarray(start, end === -1 ? bytes.length : end);
      if (!isUtf8(text) || end === -1) return notInEncoding(this.#source, lines, 'UTF-8');
      start = end + 1;
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

/** Decodes with iconv-lite, which puts U+FFFD where bytes mean nothing; our files are refused instead. */
class OtherDecoder implements Decoder {
  readonly #source: string;
  readonly #encoding: Encoding;
  readonly #decoder;
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
      const lines = lineEnds(Buffer.from(text.slice(0, wrong)));
      throw notInEncoding(this.#source, lines, this.#encoding);
    }
    const bytes = Buffer.from(text, 'utf8');
    refuseNul(bytes, this.#source);
    return bytes;
  }
}

function notInEncoding(source: string, linesBefore: number, encoding: string): TextFault {
  return new TextFault(
    linesBefore,
    (line) =>
      new LockstepError(
        'SourceUnreadable',
        `${source} line ${line}: bytes that are not ${encoding}`,
        {
          hint: `Set “encoding” of the connector to what the file really is (windows-1252 is the usual one), or have it exported as UTF-8.`,
        },
      ),
  );
}
