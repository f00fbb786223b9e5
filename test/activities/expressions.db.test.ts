/** Expressions of the mapping: what they give, and that none can stop, exhaust or see the worker. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(withExpression('name'));
});
afterAll(() => bench[Symbol.asyncDispose]());

/** Things with a name, a number, and what an expression makes of them. */
function withExpression(
  expression: string,
  type: 'string' | 'integer' = 'string',
): ConfigurationDocument {
  return {
    connectors: { sab: { kind: 'csv', directory: './sab' } },
    entityTypes: {
      thing: {
        connector: 'sab',
        source: 'things.csv',
        key: 'id',
        properties: {
          id: { column: 'id', type: 'integer' },
          name: { column: 'name' },
          made: { expression, type },
        },
      },
    },
  };
}

async function make(expression: string, name = 'Ada', type: 'string' | 'integer' = 'string') {
  await bench.reset(withExpression(expression, type));
  return await bench.sync({ 'things.csv': `id,name\n007,${name}\n` });
}

test.each<[string, unknown]>([
  ['name & " " & id', 'Ada 7'],
  ['$uppercase(name)', 'ADA'],
  ['id + 1', '8'],
  ['id = 7', 'true'],
  ['"  padded  "', 'padded'],
  ['missing', undefined],
  ['""', undefined],
  ['null', undefined],
])('%s gives %j', async (expression, expected) => {
  const { contents } = await make(expression);
  expect(contents.resources['thing']?.['7']).toEqual({
    id: 7,
    name: 'Ada',
    ...(expected === undefined ? {} : { made: expected }),
  });
});

test('a result is converted like a cell', async () => {
  const { contents } = await make('id * 3', 'Ada', 'integer');
  expect(contents.resources['thing']?.['7']).toMatchObject({ made: 21 });
});

test.each<[string, RegExp]>([
  ['{"a": name}', /made the expression gives neither text, number nor boolean/],
  ['[1, 2]', /gives neither text/],
  ['$length', /gives neither text/],
  ['name * 2', /made the expression failed/],
  ['$number(name)', /made the expression failed/],
  ['$error("stop")', /the expression failed: stop/],
  ['($f := function($n) { $f($n + 1) + 1 }; $f(0))', /the expression failed/],
  ['($f := function() { $f() }; $f())', /the expression failed/],
  ['$count([1..9999999])', /the expression failed/],
])('%s sets the row aside', async (expression, message) => {
  const { rejects, contents } = await make(expression);
  expect(rejects).toMatchObject([
    { code: 'ValueInvalid', line: 2, key: '7', column: 'made', value: null },
  ]);
  expect(rejects[0]?.message).toMatch(message);
  expect(contents.resources).toEqual({});
});

test('a result that does not convert sets the row aside with the result', async () => {
  const { rejects } = await make('name', 'Ada', 'integer');
  expect(rejects).toMatchObject([{ code: 'ValueInvalid', column: 'made', value: 'Ada' }]);
});

test('a regular expression that backtracks without end stops the job, not the worker', async () => {
  const began = Date.now();
  const hanging = make('$match(name, /^(a+)+$/)[0].match', `${'a'.repeat(60)}!`);
  await expect(hanging).rejects.toMatchObject({ type: 'ExpressionTimedOut', nonRetryable: true });
  expect(Date.now() - began).toBeLessThan(20_000);
  expect((await make('name')).counts).toMatchObject({ inserted: 1 });
}, 40_000);

test('an expression that takes all memory stops the job, not the worker', async () => {
  const bomb =
    '$length(($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f(name, 29)))';
  const answer = await make(bomb, 'x'.repeat(100)).then(
    ({ rejects }) => rejects[0]?.code,
    (error: { type: string }) => error.type,
  );
  expect(['ExpressionTimedOut', 'ValueInvalid']).toContain(answer);
  expect((await make('name')).counts).toMatchObject({ inserted: 1 });
}, 40_000);

test.each(['process.env.PATH', '$eval("process")', 'constructor', '__proto__', '$globalThis'])(
  'the worker is out of reach of %s',
  async (expression) => {
    const { contents, rejects } = await make(expression);
    const made = (contents.resources['thing']?.['7'] as { made?: string } | undefined)?.made;
    expect(made).toBeUndefined();
    expect(rejects.length).toBeLessThanOrEqual(1);
  },
);
