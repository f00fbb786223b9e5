/** The list of words against an array. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WordList } from '../../engine/word-list.ts';

test('takes words over, and goes on behind them', () => {
  const list = WordList.of(Uint32Array.of(1, 2, 3));
  list.push(4);
  expect([...list.words]).toEqual([1, 2, 3, 4]);
});

test('holds what was pushed and written, however it grew, until it is cleared', () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(fc.array(fc.array(word, { maxLength: 5 })), fc.nat(3), (parts, expected) => {
      const list = new WordList(expected);
      for (const [nth, part] of parts.entries()) {
        const [first, second, third, fourth, ...more] = part;
        if (nth % 2 === 0) for (const each of part) list.push(each);
        else if (fourth !== undefined && more.length === 0)
          list.push4(first as number, second as number, third as number, fourth);
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
