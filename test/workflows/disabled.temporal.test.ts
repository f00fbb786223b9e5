/** A connector that is disabled: no job of it starts, whoever wants it (S0-03). */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planSchedules } from '../../client/planned-schedule.ts';
import { readConfiguration } from '../../config/configuration.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';
import { typingAt } from '../support/typed-commands.ts';

let stack: JobStack;

beforeAll(async () => {
  stack = await startJobStack({ connectors: { off: { enabled: false }, on: {} } });
  await stack.writePeople('off', somePeople(2));
  await stack.writePeople('on', somePeople(2));
  await stack.startWorker();
});
afterAll(() => stack[Symbol.asyncDispose]());

test('a run by hand is refused before anything is started', async () => {
  const type = typingAt(stack);
  const { exitCode, answer } = await type('run', 'off');
  expect([exitCode, answer.error?.code]).toEqual([2, 'ConnectorDisabled']);
  expect((await type('jobs', '--connector', 'off')).answer).toEqual([]);
});

test('a job that is started past the command line ends before its source is looked at', async () => {
  const job = await stack.start('off');
  await job.result();
  const facts = await job.waitFor('failed');
  expect(facts.error?.code).toBe('ConnectorDisabled');
  expect(facts.steps).toEqual({});
});

test('it has no schedule, and holds up no other connector', async () => {
  const { configuration } = await readConfiguration(join(stack.home, 'lockstep.yaml'), {});
  const planned = planSchedules(
    {
      ...configuration,
      connectors: new Map(
        [...configuration.connectors].map(([name, settings]) => [
          name,
          {
            ...settings,
            schedules: { complete: { kind: 'interval', everyMinutes: 1440 }, incremental: 'never' },
          },
        ]),
      ) as never,
    },
    'queue',
  );
  expect(planned.map(({ connector }) => connector)).toEqual(['on']);
  const { exitCode } = await typingAt(stack)('run', 'on');
  expect(exitCode).toBe(3);
});
