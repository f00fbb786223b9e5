// Expressions of mappings run apart, and one that hangs is stopped by name.
import { expect, test } from 'vitest';
import { ExpressionRunner } from '../../activities/expression-runner.ts';

test('what an expression gives, and why it gives nothing, row by row', async () => {
  await using runner = new ExpressionRunner([
    { name: 'm.a', expression: 'a & "!"' },
    { name: 'm.b', expression: '$number(a)' },
    { name: 'm.c', expression: '{"x": a}' },
  ]);
  const rows = [{ a: 'x' }, { a: '7' }, {}];
  expect(await runner.evaluate(rows, [0, 1])).toEqual([
    [{ value: 'x!' }, { problem: 'has an expression that fails for this source' }],
    [{ value: '7!' }, { value: 7 }],
    [{ value: '!' }, {}],
  ]);
  const [[structured] = []] = await runner.evaluate(rows, [2]);
  expect(structured).toHaveProperty('problem');
});

test('one that hangs in a regular expression is stopped, and named', async () => {
  await using runner = new ExpressionRunner([
    { name: 'm.fine', expression: 'a' },
    { name: 'm.slow', expression: '$match(a, /^(a+)+$/)[0].match' },
  ]);
  const row = { a: `${'a'.repeat(40)}b` };
  await expect(runner.evaluate([row], [0, 1])).rejects.toMatchObject({
    code: 'ExpressionTimedOut',
    message: expect.stringContaining('m.slow'),
  });
}, 60_000);
