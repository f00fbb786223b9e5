/** The set of stored digests against a Map. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DigestSet } from '../../engine/digest-set.ts';

/** Few distinct words, so that slots collide and digests share a part. */
const digest = fc
  .tuple(...Array.from({ length: 4 }, () => fc.constantFrom(0, 1, 2, 16, 32, 0xffffffff)))
  .map((words) => Uint32Array.from(words));

const selector = { selector: (words: Uint32Array) => words.join() };

test('any stored and any met digests, in any order: the set says what a Map would', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(digest, selector),
      fc.array(digest),
      fc.nat(9),
      (stored, met, expecting) => {
        const set = new DigestSet(expecting);
        const map = new Map<string, boolean>();
        for (const words of stored) {
          set.add(words);
          map.set(words.join(), false);
        }
        // Most of an extraction is in the order of the store.
        met.unshift(...stored.filter((_, index) => index % 3 !== expecting % 3));
        expect(set.size).toBe(map.size);
        for (const words of met) {
          const before = map.get(words.join());
          const expected = before === undefined ? 'new' : before ? 'again' : 'known';
          expect(set.see(Uint32Array.of(7, ...words), 1)).toBe(expected);
          if (before === false) map.set(words.join(), true);
        }
        const unseen = [...map].filter(([, seen]) => !seen).map(([words]) => words);
        expect(set.unseenCount).toBe(unseen.length);
        expect([...set.unseenPlaces()].map((place) => set.at(place).join()).sort()).toEqual(
          unseen.sort(),
        );
        expect([...set.unseen()].map((words) => words.join()).sort()).toEqual(unseen.sort());
      },
    ),
    { numRuns: 500 },
  );
});

test('a large store, of which rows go, come and move: what is unseen is what is gone, and what was taken for new', () => {
  const digestOf = (nth: number) => Uint32Array.from([nth * 16, 0, nth, 1]);
  const places = fc.uniqueArray(fc.nat(1999), { maxLength: 300 });
  fc.assert(
    fc.property(places, places, places, (gone, moved, places) => {
      const set = new DigestSet(2000);
      for (let nth = 0; nth < 2000; nth++) set.add(digestOf(nth));
      const order = Array.from({ length: 2000 }, (_, nth) => nth).filter(
        (nth) => !gone.includes(nth) && !moved.includes(nth),
      );
      const known = moved.filter((nth) => !gone.includes(nth));
      order.push(...known);
      for (const place of places) order.splice(place, 0, 5000 + place);
      const unseen = new Set(gone);
      for (const nth of order) {
        const sighting = set.see(digestOf(nth));
        // A row that moved may be taken for new; one that is new is never taken for known.
        if (nth >= 5000) expect(sighting).toBe('new');
        else if (!known.includes(nth)) expect(sighting).toBe('known');
        else if (sighting === 'new') unseen.add(nth);
      }
      expect(set.unseenCount).toBe(unseen.size);
      expect(new Set([...set.unseen()].map((words) => words[2]))).toEqual(unseen);
    }),
    { numRuns: 60 },
  );
});

describe('a digest set', () => {
  test('takes digests as PostgreSQL sends them', () => {
    const set = new DigestSet();
    set.addAll(
      Buffer.from('01000000020000000300000004000000ffffffff000000000000000000000000', 'hex'),
    );
    expect(set.see(Uint32Array.from([1, 2, 3, 4]))).toBe('known');
    expect(set.see(Uint32Array.from([0xffffffff, 0, 0, 0]))).toBe('known');
    expect(set.unseenCount).toBe(0);
  });

  test('made for none holds none', () => {
    const set = new DigestSet(0);
    expect(set.see(new Uint32Array(4))).toBe('new');
    expect([...set.unseen()]).toEqual([]);
  });
});
