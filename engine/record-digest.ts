/** A 128-bit digest of a source record's raw bytes, by which an unchanged record is known without parsing it. */

/**
 * MurmurHash3 x86/128 (Austin Appleby, public domain), over the bytes `[start, end)`, written into `out[outAt..outAt+3]`.
 *
 * 128 bits: with 10 million records stored and a million changed ones a day, the chance that any changed record
 * meets a stored digest is below 10^-24 a day. It is no cryptographic digest: somebody who can choose the bytes of
 * source records could make two collide, but who writes the source already decides what the store holds.
 *
 * @param seed any 128 bits, four words (the published algorithm has one word four times); records of other mappings or
 * headers must use another seed.
 */
export function recordDigest(
  bytes: DataView,
  start: number,
  end: number,
  seed: Uint32Array,
  out: Uint32Array,
  outAt = 0,
): void {
  let h1 = (seed[0] as number) | 0;
  let h2 = (seed[1] as number) | 0;
  let h3 = (seed[2] as number) | 0;
  let h4 = (seed[3] as number) | 0;
  const length = end - start;
  const blocksEnd = start + (length & ~15);
  let at = start;
  for (; at < blocksEnd; at += 16) {
    let k1 = bytes.getInt32(at, true);
    let k2 = bytes.getInt32(at + 4, true);
    let k3 = bytes.getInt32(at + 8, true);
    let k4 = bytes.getInt32(at + 12, true);
    k1 = Math.imul(k1, C1);
    k1 = (k1 << 15) | (k1 >>> 17);
    h1 ^= Math.imul(k1, C2);
    h1 = (h1 << 19) | (h1 >>> 13);
    h1 = (Math.imul(h1 + h2, 5) + 0x561ccd1b) | 0;
    k2 = Math.imul(k2, C2);
    k2 = (k2 << 16) | (k2 >>> 16);
    h2 ^= Math.imul(k2, C3);
    h2 = (h2 << 17) | (h2 >>> 15);
    h2 = (Math.imul(h2 + h3, 5) + 0x0bcaa747) | 0;
    k3 = Math.imul(k3, C3);
    k3 = (k3 << 17) | (k3 >>> 15);
    h3 ^= Math.imul(k3, C4);
    h3 = (h3 << 15) | (h3 >>> 17);
    h3 = (Math.imul(h3 + h4, 5) + 0x96cd1c35) | 0;
    k4 = Math.imul(k4, C4);
    k4 = (k4 << 18) | (k4 >>> 14);
    h4 ^= Math.imul(k4, C1);
    h4 = (h4 << 13) | (h4 >>> 19);
    h4 = (Math.imul(h4 + h1, 5) + 0x32ac3b17) | 0;
  }
  const left = end - at;
  let k1 = left >= 4 ? bytes.getInt32(at, true) : lastBytes(bytes, at, left);
  let k2 = left >= 8 ? bytes.getInt32(at + 4, true) : lastBytes(bytes, at + 4, left - 4);
  let k3 = left >= 12 ? bytes.getInt32(at + 8, true) : lastBytes(bytes, at + 8, left - 8);
  let k4 = lastBytes(bytes, at + 12, left - 12);
  k4 = Math.imul(k4, C4);
  k4 = (k4 << 18) | (k4 >>> 14);
  h4 ^= Math.imul(k4, C1);
  k3 = Math.imul(k3, C3);
  k3 = (k3 << 17) | (k3 >>> 15);
  h3 ^= Math.imul(k3, C4);
  k2 = Math.imul(k2, C2);
  k2 = (k2 << 16) | (k2 >>> 16);
  h2 ^= Math.imul(k2, C3);
  k1 = Math.imul(k1, C1);
  k1 = (k1 << 15) | (k1 >>> 17);
  h1 ^= Math.imul(k1, C2);
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = finalMix(h1);
  h2 = finalMix(h2);
  h3 = finalMix(h3);
  h4 = finalMix(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  out[outAt] = h1;
  out[outAt + 1] = h2;
  out[outAt + 2] = h3;
  out[outAt + 3] = h4;
}

/** Up to three bytes as a word, the first one lowest; 0 for none. */
function lastBytes(bytes: DataView, at: number, count: number): number {
  if (count <= 0) return 0;
  let word = bytes.getUint8(at);
  if (count > 1) word |= bytes.getUint8(at + 1) << 8;
  if (count > 2) word |= bytes.getUint8(at + 2) << 16;
  return word;
}

/** How long a digest is: four words. */
export const digestBytes = 16;

/** True when two digests, four words each, are the same. */
export function sameDigest(
  words: Uint32Array,
  at: number,
  others: Uint32Array,
  otherAt: number,
): boolean {
  return (
    words[at] === others[otherAt] &&
    words[at + 1] === others[otherAt + 1] &&
    words[at + 2] === others[otherAt + 2] &&
    words[at + 3] === others[otherAt + 3]
  );
}

/** Digests of the bytes alone, whatever they mean, are seeded with this. */
export const noSeed = new Uint32Array(4);

const message = new Uint32Array(4);
const messageBytes = new DataView(message.buffer);

/**
 * Makes the digest of a record that means something of the digest of its bytes alone, `digests[at..at+3]`.
 *
 * For one seed that is a bijection: a message of one block is mixed in, word by word, by steps that can all be taken back.
 * So no two records get the same digest whose bytes had different ones.
 */
export function seededDigest(
  digests: Uint32Array,
  at: number,
  seed: Uint32Array,
  out: Uint32Array,
): void {
  for (let word = 0; word < 4; word++) message[word] = digests[at + word] as number;
  recordDigest(messageBytes, 0, 16, seed, out);
}

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

function finalMix(hash: number): number {
  let h = hash;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const hexadecimal = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The digest as PostgreSQL's `uuid` text: its words as they lie in memory, the lowest byte first. */
export function digestText(words: Uint32Array, at = 0): string {
  let text = '';
  for (let index = 0; index < 4; index++) {
    const word = words[at + index] as number;
    for (let shift = 0; shift < 32; shift += 8) text += hexadecimal[(word >>> shift) & 0xff];
  }
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}
