/** MurmurHash3 x86/128 against values of the reference implementation (PyPI mmh3 5), and its spread over short records. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestText, recordDigest, seededDigest } from '../../engine/record-digest.ts';

const encoder = new TextEncoder();

/** The published algorithm has one seed for all four words. */
function fourTimes(seed: number): Uint32Array {
  return new Uint32Array(4).fill(seed);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function digestOf(text: string, seed: number): string {
  const out = new Uint32Array(4);
  const bytes = encoder.encode(text);
  recordDigest(viewOf(bytes), 0, bytes.length, fourTimes(seed), out);
  return [...out].map((word) => word.toString(16).padStart(8, '0')).join('');
}

test.each([
  ['', 0x0, '00000000000000000000000000000000'],
  ['', 0x1, '88c4adec54d201b954d201b954d201b9'],
  ['hello', 0x0, '2b2444a0db91def79adb31b69adb31b6'],
  ['The quick brown fox jumps over the lazy dog', 0x0, '2f1583c3ecee2c675d7bf66ce5e91d2c'],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, '8ad4d55e4cb861718ea73a9ccdb6793e'],
  ['Zoé;Lefèvre;éàü', 42, 'f96df57bafec41e42d1feb58835cf5e9'],
  ['0123456789abcde', 0, '3c76c46d4d0818c0add433daa78673fa'],
  ['0123456789abcdef', 0, 'fb7d440936aed30a48ad1d9b572b3bfd'],
  ['0123456789abcdef0', 0, '1f8a385560920c06b5182f1c718c0b9c'],
  ['aaaaaaaaaaaa', 7, '699a31a5a2287fc7a89eda818d538971'],
])('“%s” with seed %i', (text, seed, expected) => {
  expect(digestOf(text, seed)).toBe(expected);
});

test('a part of a buffer has the digest of the part alone, and a negative seed is its 32 bits', () => {
  const bytes = encoder.encode('xxhelloyy');
  const out = new Uint32Array(4);
  recordDigest(viewOf(bytes), 2, 7, fourTimes(0), out);
  // The words as they lie in memory: each of them the other way round than it is printed above.
  expect(digestText(out)).toBe('a044242b-f7de-91db-b631-db9ab631db9a');
  const [negative, positive] = [new Uint32Array(4), new Uint32Array(4)];
  recordDigest(viewOf(bytes), 0, 9, fourTimes(-1), negative);
  recordDigest(viewOf(bytes), 0, 9, fourTimes(0xffffffff), positive);
  expect(negative).toEqual(positive);
});

test('digests are told apart wherever they lie in an array', () => {
  const words = Uint32Array.from([1, 2, 3, 4, 0xffffffff, 0, 0xa, 0xb]);
  expect(digestText(words, 4)).toBe('ffffffff-0000-0000-0a00-00000b000000');
});

test('the digest that means something is the digest of the digest of the bytes', () => {
  const digests = Uint32Array.from([9, 0x31323334, 0x35363738, 0xfedcba98, 0xffffffff, 7]);
  const seed = Uint32Array.from([1, 2, 3, 4]);
  const [seeded, expected] = [new Uint32Array(4), new Uint32Array(4)];
  seededDigest(digests, 1, seed, seeded);
  recordDigest(new DataView(digests.buffer), 4, 20, seed, expected);
  expect(seeded).toEqual(expected);
  // Written over what it is made of.
  const same = digests.slice(1, 5);
  seededDigest(same, 0, seed, same);
  expect(same).toEqual(expected);
});

/** Every step of the digest of one block, taken back. */
function bytesOf(digest: Uint32Array, seed: Uint32Array): Uint32Array {
  const inverse = (odd: number) => {
    let found = odd;
    for (let turn = 0; turn < 5; turn++) found = Math.imul(found, 2 - Math.imul(odd, found));
    return found;
  };
  const back = (word: number, by: number) => (word >>> by) | (word << (32 - by));
  const unsum = ([h1, h2, h3, h4]: number[]) => {
    const others = [h2, h3, h4].map((h) => ((h as number) - (h1 as number)) | 0);
    return [others.reduce((rest, h) => (rest - h) | 0, h1 as number), ...others];
  };
  const unmix = (hash: number) => {
    let h = hash ^ (hash >>> 16);
    h = Math.imul(h, inverse(0xc2b2ae35));
    h ^= (h >>> 13) ^ (h >>> 26);
    h = Math.imul(h, inverse(0x85ebca6b));
    return h ^ (h >>> 16);
  };
  let h = unsum([...digest]).map(unmix);
  h = unsum(h).map((word) => word ^ 16);
  const c = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93];
  const turns = [
    [15, 19, 0x561ccd1b],
    [16, 17, 0x0bcaa747],
    [17, 15, 0x96cd1c35],
    [18, 13, 0x32ac3b17],
  ];
  const next = (word: number) => (word === 3 ? h[0] : seed[word + 1]) as number;
  return Uint32Array.from(turns, ([ofKey = 0, ofHash = 0, added = 0], word) => {
    let k = Math.imul(((h[word] as number) - added) | 0, inverse(5));
    k = back((k - next(word)) | 0, ofHash) ^ (seed[word] as number);
    k = back(Math.imul(k, inverse(c[(word + 1) % 4] as number)), ofKey);
    return Math.imul(k, inverse(c[word] as number));
  });
}

test('it can be taken back, so that it makes no two digests one', () => {
  const words = fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer());
  fc.assert(
    fc.property(words, words, (raw, seed) => {
      const seeded = new Uint32Array(4);
      seededDigest(Uint32Array.from(raw), 0, Uint32Array.from(seed), seeded);
      expect(bytesOf(seeded, Uint32Array.from(seed))).toEqual(Uint32Array.from(raw));
    }),
  );
});

test('a million different short records have a million different digests', () => {
  const seed = fourTimes(42);
  const seen = new Set<bigint>();
  const out = new Uint32Array(4);
  const bytes = new Uint8Array(16);
  const total = 1_000_000;
  for (let index = 0; index < total; index++) {
    const { written } = encoder.encodeInto(`${index % 1000},${Math.floor(index / 1000)}`, bytes);
    recordDigest(viewOf(bytes), 0, written, seed, out);
    // 64 of the 128 bits do: a collision of all four words is one of these too.
    seen.add((BigInt(out[0] as number) << 32n) | BigInt(out[3] as number));
  }
  expect(seen.size).toBe(total);
});
