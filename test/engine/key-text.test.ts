/** Keys that nobody can see, or no index can hold, are told apart from those that are only unusual. */
import { describe, expect, test } from 'vitest';
import { keyProblem, searchProblem, visibleText } from '../../engine/key-text.ts';

describe('a key', () => {
  test.each([
    '7',
    'ann',
    'Ann Smith',
    'jose\u0301',
    'Łęcka',
    '李',
    'می\u200cخواهم',
    '👩\u200d🔬',
    '"x"',
    "'x'",
    '“x” y',
    'Groupe\u00a0: A',
  ])('may be %s', (key) => {
    expect(keyProblem(key)).toBeUndefined();
  });

  test.each([
    ['a\u0001', 'U+0001'],
    ['a\tb', 'U+0009'],
    ['a\nb', 'U+000A'],
    ['a\u0085b', 'U+0085'],
    ['\u200bann', 'U+200B'],
    ['ann\u2060', 'U+2060'],
    ['a\u00adnn', 'U+00AD'],
    ['\u202eann', 'U+202E'],
    ['a\ufeffnn', 'U+FEFF'],
  ])('with a character that cannot be seen is told: %j', (key, code) => {
    expect(keyProblem(key)).toBe(`holds a character that cannot be seen (${code})`);
  });

  test.each(['“101”', '„101“', '«101»', '‹101›'])('in typographic quotes is told: %s', (key) => {
    expect(keyProblem(key)).toMatch(/typographic quotes/);
    expect(visibleText(key)).toBe('101');
  });

  test('has 1,000 bytes at most, whatever characters they are', () => {
    expect(keyProblem('k'.repeat(1000))).toBeUndefined();
    expect(keyProblem('k'.repeat(1001))).toBe('is longer than 1000 bytes');
    expect(keyProblem('é'.repeat(500))).toBeUndefined();
    expect(keyProblem('é'.repeat(501))).toBe('is longer than 1000 bytes');
  });
});

test('a searchable value has 1,500 bytes at most', () => {
  expect(searchProblem('v'.repeat(1500))).toBeUndefined();
  expect(searchProblem('😀'.repeat(376))).toMatch(/longer than 1500 bytes/);
});
