import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeySet, keyWords } from '../../engine/key-set.ts';

const words = (key: string) => keyWords(Buffer.from(key));

test('it knows exactly the keys that were added, whatever they are and however it grows', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), (added, others) => {
      const set = new KeySet();
      const reference = new Set<string>();
      for (const key of added) {
        expect(set.add(words(key))).toBe(!reference.has(key));
        reference.add(key);
      }
      expect(set.size).toBe(reference.size);
      for (const key of [...added, ...others]) expect(set.has(words(key))).toBe(reference.has(key));
    }),
  );
});

test('of 300,000 keys in a row none is taken for another', () => {
  const set = new KeySet(100);
  for (let index = 0; index < 300_000; index++) {
    if (!set.add(words(`user${index}`))) throw new Error(`user${index} was taken for another`);
  }
  expect(set.has(words('user300000'))).toBe(false);
  expect(set.has(words('user299999'))).toBe(true);
});
