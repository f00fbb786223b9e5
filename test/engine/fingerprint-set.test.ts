/** Repeated texts are always noticed; different ones hardly ever taken for repeated. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FingerprintSet } from '../../engine/fingerprint-set.ts';

/** Somewhere between other bytes. */
function add(set: FingerprintSet, text: string, second = ''): void {
  const bytes = Buffer.from(`~${text},${second}~`);
  const end = 1 + Buffer.byteLength(text);
  set.add(bytes, 1, end, end + 1, bytes.length - 1);
}

function placeOf(set: FingerprintSet, text: string): number {
  const bytes = Buffer.from(`..${text}`);
  return set.placeOf(bytes, 2, bytes.length);
}

test('any texts, of which one comes again: it may repeat', () => {
  const texts = fc.array(fc.tuple(fc.string(), fc.string()), { minLength: 1, maxLength: 3000 });
  fc.assert(
    fc.property(texts, fc.nat(), (pairs, nth) => {
      const set = new FingerprintSet();
      for (const [from, to] of pairs) add(set, from, to);
      const [from, to] = pairs[nth % pairs.length] as [string, string];
      add(set, from, to);
      expect(set.mayRepeat).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('a million pairs of short keys do not repeat', () => {
  const set = new FingerprintSet();
  for (let index = 0; index < 1_000_000; index++) add(set, `u${index >> 2}`, `g${index & 3}`);
  expect(set.mayRepeat).toBe(false);
});

test('where one text ends and the next begins makes a difference', () => {
  const set = new FingerprintSet();
  for (const [from, to] of [
    ['ab', 'c'],
    ['a', 'bc'],
    ['', 'abc'],
    ['abc', ''],
  ]) {
    add(set, from as string, to);
  }
  expect(set.mayRepeat).toBe(false);
});

test('what was added is there, in a place of its own, and what was not hardly ever seems to be', () => {
  const set = new FingerprintSet();
  for (let index = 0; index < 100_000; index++) add(set, `u${index}`);
  const places = new Set<number>();
  for (let index = 0; index < 100_000; index++) {
    const place = placeOf(set, `u${index}`);
    if (place < 0 || place >= set.places) expect.fail(`u${index} is not there`);
    places.add(place);
    if (placeOf(set, `v${index}`) !== -1 || placeOf(set, `u${index}x`) !== -1) {
      expect.fail(`${index} seems to be there`);
    }
  }
  expect(places.size).toBe(100_000);
});
