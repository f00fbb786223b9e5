/** A reconciliation as a job: with and without waiting, its gate, its turn, what follows it, and its worker killed (S3-13). */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobSummary } from '../../store/queries/jobs.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';
import { type Type, typingAt } from '../support/typed-commands.ts';

let stack: JobStack;
let type: Type;

const property = (column: string) => ({ column });

const configuration = {
  connectors: {
    hr: { kind: 'csv', directory: './hr', schedules: { complete: 'never' } },
    // Nobody answers there: what is to be written to it waits at the gate.
    crm: { kind: 'scim', endpoint: 'http://127.0.0.1:9/v2', schedules: { complete: 'never' } },
  },
  entityTypes: {
    person: {
      connector: 'hr',
      source: 'people.csv',
      key: 'id',
      properties: { id: property('id'), name: property('name') },
    },
    account: {
      connector: 'crm',
      source: 'User',
      key: 'userName',
      properties: { userName: { path: 'userName' }, title: { path: 'title' } },
    },
    identity: { managed: true, key: 'id', properties: { id: {}, name: {} } },
  },
  mappings: {
    person_identity: {
      source: 'person',
      target: 'identity',
      correlate: [{ source: 'id', target: 'id' }],
      follows: false,
      properties: { id: 'id', name: 'name' },
    },
    identity_account: {
      source: 'identity',
      target: 'account',
      correlate: [{ source: 'id', target: 'userName' }],
      properties: { userName: 'id', title: 'name' },
    },
  },
};

async function configure(document: object): Promise<void> {
  await writeFile(join(stack.home, 'lockstep.yaml'), JSON.stringify(document));
}

async function write(names: readonly string[]): Promise<void> {
  const rows = names.map((name, at) => `p${at},${name}`);
  await writeFile(join(stack.home, 'hr', 'people.csv'), ['id,name', ...rows, ''].join('\n'));
}

beforeAll(async () => {
  stack = await startJobStack({ connectors: {} });
  await configure(configuration);
  await mkdir(join(stack.home, 'hr'));
  await write(['Ada', 'Bela', 'Chloe']);
  type = typingAt(stack);
  await stack.startWorker();
  const { answer } = await type('run', 'hr');
  await type('resume', answer.job);
});
afterAll(() => stack[Symbol.asyncDispose]());

const identities = async () =>
  (await type<{ attributes: { name: string } }[]>('list', 'identity')).answer.map(
    ({ attributes }) => attributes.name,
  );

describe('a reconciliation', () => {
  test('of a mapping that is not there is refused with the nearest name', async () => {
    const { exitCode, answer } = await type('reconcile', 'person_identiy');
    expect([exitCode, answer.error?.code]).toEqual([2, 'NotFound']);
    expect(answer.error?.message).toContain('did you mean “person_identity”?');
  });

  test('that is simulated counts and writes nothing', async () => {
    const { exitCode, answer } = await type('reconcile', 'person_identity', '--simulate');
    expect([exitCode, answer.state]).toEqual([0, 'succeeded']);
    expect(answer.counts).toMatchObject({ inserted: 3 });
    expect(answer.situations).toEqual({ absent: 3 });
    expect(await identities()).toEqual([]);
  });

  test('asks, is aborted, and nothing is written', async () => {
    const asked = await type('reconcile', 'person_identity');
    expect([asked.exitCode, asked.answer.state]).toEqual([3, 'blocked']);
    const { exitCode } = await type('abort', asked.answer.job, '--reason', 'not today');
    expect(exitCode).toBe(4);
    expect(await identities()).toEqual([]);
  });

  test('without waiting gives its id at once; while it is blocked another of its connector is refused', async () => {
    const { exitCode, answer } = await type('reconcile', 'person_identity', '--no-wait');
    expect([exitCode, answer.state]).toEqual([0, 'running']);
    await expect
      .poll(async () => (await type('job', answer.job)).answer.state, { timeout: 60_000 })
      .toBe('blocked');
    const refused = await type('run', 'hr');
    expect(refused.answer.error?.code).toBe('ConnectorBusy');
    // Whoever resumes it has seen what the configuration of its beginning makes of the source (S1-13).
    const { person_identity: mapping } = configuration.mappings;
    const other = { ...mapping, properties: { id: 'id', name: { value: 'Nobody' } } };
    const mappings = { ...configuration.mappings, person_identity: other };
    await configure({ ...configuration, mappings });
    const resumed = await type('resume', answer.job, '--reason', 'reviewed');
    expect([resumed.exitCode, resumed.answer.state]).toEqual([0, 'succeeded']);
    expect(await identities()).toEqual(['Ada', 'Bela', 'Chloe']);
    await configure(configuration);
  });

  test('that has changed what another mapping reads is followed by it, which waits for a person alone', async () => {
    const followers = async () =>
      (await type<JobSummary[]>('jobs', '--mapping', 'identity_account')).answer;
    await expect.poll(followers, { timeout: 60_000 }).toMatchObject([{ state: 'blocked' }]);
    // The connector of that one is taken; ours is not.
    const { exitCode, answer } = await type('reconcile', 'person_identity');
    expect([exitCode, answer.counts['inserted'], answer.counts['updated']]).toEqual([0, 0, 0]);
    await type('abort', (await followers())[0]?.job ?? '');
  });

  test('whose worker is killed goes on with another, and does it once', async () => {
    await write(['Ada', 'Bela', 'Chloe', 'Dario']);
    await type('run', 'hr');
    const { answer } = await type('reconcile', 'person_identity', '--no-wait');
    await stack.workers.at(-1)?.kill('SIGKILL');
    await stack.startWorker();
    await expect
      .poll(async () => (await type('job', answer.job)).answer.state, { timeout: 90_000 })
      .toBe('succeeded');
    expect(await identities()).toEqual(['Ada', 'Bela', 'Chloe', 'Dario']);
  });

  test('keeps identity data out of Temporal, in few events', async () => {
    const { answer } = await type<JobSummary[]>('jobs', '--mapping', 'person_identity');
    for (const { job } of answer) {
      const history = await stack.client.workflow.getHandle(job).fetchHistory();
      const text = JSON.stringify(history, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString() : value,
      );
      expect(text).not.toMatch(/Ada|Bela|Chloe|Dario/);
      expect(history.events?.length).toBeLessThanOrEqual(60);
    }
  });
});
