/** The list of words against an array. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WordList } from '../../engine/word-list.ts';

test('holds what was pushed and written, however it grew, until it is cleared', () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(fc.array(fc.array(word, { maxLength: 5 })), fc.nat(3), (parts, expected) => {
      const list = new WordList(expected);
      for (const [nth, part] of parts.entries()) {
        if (nth % 2 === 0) list.push(...part);
        else list.extend(part.length).set(part, list.length - part.length);
      }
      expect([...list.words]).toEqual(parts.flat());
      expect(list.length).toBe(parts.flat().length);
      list.clear();
      list.push(7);
      expect([...list.words]).toEqual([7]);
    }),
  );
});
