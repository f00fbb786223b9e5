/** The set of stored digests against a Map. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DigestSet } from '../../engine/digest-set.ts';

/** Few distinct words, so that slots collide and digests share a part. */
const digest = fc
  .tuple(...Array.from({ length: 4 }, () => fc.constantFrom(0, 1, 2, 16, 32, 0xffffffff)))
  .map((words) => Uint32Array.from(words));

test('any stored and any met digests: the set says what a Map would', () => {
  fc.assert(
    fc.property(fc.array(digest), fc.array(digest), (stored, met) => {
      const set = new DigestSet(stored.length);
      const map = new Map<string, boolean>();
      for (const words of stored) {
        set.add(words);
        map.set(words.join(), false);
      }
      expect(set.size).toBe(map.size);
      for (const words of met) {
        const before = map.get(words.join());
        const expected = before === undefined ? 'new' : before ? 'again' : 'known';
        expect(set.has(words)).toBe(before !== undefined);
        expect(set.see(words)).toBe(expected);
        if (before === false) map.set(words.join(), true);
      }
      const unseen = [...map].filter(([, seen]) => !seen).map(([words]) => words);
      expect(set.unseenCount).toBe(unseen.length);
      expect([...set.unseen()].map((words) => words.join()).sort()).toEqual(unseen.sort());
    }),
    { numRuns: 500 },
  );
});

describe('a digest set', () => {
  test('reads digests from within a longer array', () => {
    const set = new DigestSet(2);
    const words = Uint32Array.from([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
    set.add(words, 4);
    expect([set.see(words, 0), set.see(words, 4), set.see(words, 8)]).toEqual([
      'new',
      'known',
      'new',
    ]);
  });

  test('made for none holds none', () => {
    const set = new DigestSet(0);
    expect(set.see(new Uint32Array(4))).toBe('new');
    expect([...set.unseen()]).toEqual([]);
  });

  test('refuses more digests than it was made for', () => {
    const set = new DigestSet(1);
    set.add(Uint32Array.from([1, 0, 0, 0]));
    set.add(Uint32Array.from([1, 0, 0, 0]));
    expect(() => set.add(Uint32Array.from([2, 0, 0, 0]))).toThrow(RangeError);
  });
});
