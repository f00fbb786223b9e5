/** Sums of digests: the same for the same rows in any order, another one when a row is another, missing or there twice. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DigestSum } from '../../engine/digest-sum.ts';

const digest = fc.uint32Array({ minLength: 4, maxLength: 4 });

function summed(digests: readonly Uint32Array[]) {
  const sum = new DigestSum();
  for (const words of digests) sum.add(Uint32Array.of(7, ...words), 1);
  return sum.summed;
}

test('any digests, in any order', () => {
  fc.assert(
    fc.property(
      fc
        .array(digest, { minLength: 1 })
        .chain((digests) =>
          fc.tuple(
            fc.constant(digests),
            fc.shuffledSubarray(digests, { minLength: digests.length }),
            fc.nat(digests.length - 1),
          ),
        ),
      fc.nat(3),
      fc.integer({ min: 1, max: 0xffff_ffff }),
      ([digests, shuffled, nth], word, change) => {
        const all = summed(digests);
        expect(all.count).toBe(digests.length);
        expect(summed(shuffled)).toEqual(all);
        expect(summed(digests.toSpliced(nth, 1))).not.toEqual(all);
        expect(summed([...digests, digests[nth] as Uint32Array])).not.toEqual(all);
        const changed = (digests[nth] as Uint32Array).slice();
        changed[word] = (changed[word] as number) + change;
        expect(summed(digests.with(nth, changed))).not.toEqual(all);
      },
    ),
  );
});

test('two words that pass a bit to each other are not the same', () => {
  expect(summed([Uint32Array.of(0xffff_ffff, 0, 0, 0), Uint32Array.of(1, 0, 0, 0)])).toEqual({
    count: 2,
    sum: '0'.repeat(32),
    xor: `fffffffe${'0'.repeat(24)}`,
  });
});
