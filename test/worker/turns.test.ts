// Tests of the turns at long steps: first come, first served, but no large step keeps the small ones waiting.

import { expect, test } from 'vitest';
import { Turns } from '../../worker/turns.ts';

const never = new AbortController().signal;

/** Asks for turns in this order; tells who has one, and lets them end it. */
async function line(limits: { all: number; large: number }, ...names: string[]) {
  const turns = new Turns(limits);
  const begun = new Map<string, () => void>();
  const ask = async (name: string, signal = never) => {
    begun.set(name, await turns.take(name.startsWith('large'), signal));
  };
  const asked = names.map((name) => ask(name));
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  await settle();
  return {
    ask,
    asked,
    working: () => [...begun.keys()],
    async end(name: string) {
      begun.get(name)?.();
      begun.delete(name);
      await settle();
    },
  };
}

test('no more steps are at work at once than may be; who waits is served in the order of coming', async () => {
  const { working, end } = await line({ all: 2, large: 2 }, 'a', 'b', 'c', 'd');
  expect(working()).toEqual(['a', 'b']);
  await end('b');
  expect(working()).toEqual(['a', 'c']);
  await end('a');
  expect(working()).toEqual(['c', 'd']);
});

test('large steps leave room for small ones, however many there are', async () => {
  const { working, end } = await line(
    { all: 3, large: 2 },
    ...['large 1', 'large 2', 'large 3', 'large 4', 'small 1', 'small 2'],
  );
  expect(working()).toEqual(['large 1', 'large 2', 'small 1']);
  await end('small 1');
  expect(working()).toEqual(['large 1', 'large 2', 'small 2']);
});

test('a large step is not overtaken for ever', async () => {
  const { working, end } = await line(
    { all: 2, large: 1 },
    'small 1',
    'small 2',
    'large',
    'small 3',
  );
  expect(working()).toEqual(['small 1', 'small 2']);
  await end('small 1');
  expect(working()).toEqual(['small 2', 'large']);
});

test('who is cancelled while waiting leaves the line, and nobody else’s turn is lost', async () => {
  const { ask, working, end } = await line({ all: 1, large: 1 }, 'a');
  const stop = new AbortController();
  const cancelled = ask('b', stop.signal);
  const next = ask('c');
  stop.abort(new Error('aborted'));
  await expect(cancelled).rejects.toThrow('aborted');
  await end('a');
  await next;
  expect(working()).toEqual(['c']);
  await expect(ask('d', stop.signal)).rejects.toThrow('aborted');
});
