// No value of identity data reaches Temporal or a log, not even by way of an error: canaries are planted and sought.

import { readFile } from 'node:fs/promises';
import { expect, inject, test } from 'vitest';
import { type JobStack, type StartedJob, startJobStack, until } from '../support/job-stack.ts';
import { somePeople, writeSource } from '../support/people.ts';

const mark = `canary${Date.now().toString(36)}`;
const canary = (place: string) => `${mark}${place}`;

const header = 'login,name,hired,team';
const rows = [
  ...somePeople(12).map(({ login, name, team }) => `${login},${name},15/01/2015,${team}`),
  `${canary('key')},${canary('name')},15/01/2015,t1`,
  `${canary('late')},${canary('dated')},${canary('date')},t1`,
  `${canary('lost')},${canary('homeless')},15/01/2015,${canary('team')}`,
  `${canary('torn')},${canary('quoted')}"half,15/01/2015,t1`,
  `${canary('twin')},${canary('one')},15/01/2015,t1`,
  `${canary('twin')},${canary('two')},15/01/2015,t1`,
  `${canary('sum')},${canary('expression')},15/01/2015,t1`,
];
/** Fails on one row, in an expression whose error quotes the value. */
const expression = `$contains(name, "${canary('expression')}") ? $number(name) : 1`;

/** Everything that can be read in a structure: texts as they are, bytes and base64 as the text they stand for. */
function* texts(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    yield value;
    if (/^[A-Za-z0-9+/]{8,}={0,2}$/.test(value)) yield Buffer.from(value, 'base64').toString();
  } else if (value instanceof Uint8Array) {
    yield Buffer.from(value).toString();
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, each] of Object.entries(value)) {
      yield name;
      yield* texts(each);
    }
  }
}

function canariesIn(...sources: unknown[]): string[] {
  const found = [...texts(sources)].filter((text) => text.includes(mark));
  return found.map((text) => text.slice(Math.max(0, text.indexOf(mark) - 40)).slice(0, 120));
}

/** All that Temporal knows of a job: history, memo, search attributes, pending work. */
async function knownToTemporal(job: StartedJob): Promise<unknown[]> {
  const description = await job.handle.describe();
  return [await job.handle.fetchHistory(), description.raw, description.memo, description];
}

async function writePeopleFile(stack: JobStack, lines: readonly string[]): Promise<void> {
  await writeSource(stack.directory('sab'), 'people.csv', lines);
}

test('values of identity data are in the store, and nowhere in Temporal or in logs', {
  timeout: 240_000,
}, async () => {
  await using stack = await startJobStack({
    connectors: { sab: { properties: { level: { expression } } } },
  });
  const worker = await stack.startWorker();
  await stack.writePeople('sab', []);
  await writePeopleFile(stack, [header, ...rows]);
  await writeSource(stack.directory('sab'), 'members.csv', [
    'login,team',
    `${canary('member')},t1`,
  ]);

  // Refused by PostgreSQL, whose message quotes the row; then it may, is blocked, and resumed.
  await stack.pool.query(
    `alter table resource_change add constraint refused check (after ->> 'name' is distinct from '${canary('name')}')`,
  );
  const loaded = await stack.start('sab');
  const failing = await until(async () => {
    const { raw } = await loaded.handle.describe();
    return raw.pendingActivities?.find(({ lastFailure }) => lastFailure);
  }, 'PostgreSQL refuses the delta');
  expect(failing?.lastFailure?.message).toContain('23514');
  expect(canariesIn(failing)).toEqual([]);
  await stack.pool.query('alter table resource_change drop constraint refused');
  await loaded.waitFor('blocked');
  await loaded.signal('resume', { by: 'jane', reason: 'reviewed' });
  expect(await loaded.result()).toMatchObject({ state: 'succeeded-with-rejects' });

  // Failed, because nobody wrote a header: the first row is a person.
  const failed: StartedJob[] = [];
  const fail = async (lines: readonly string[], code: string) => {
    await writePeopleFile(stack, lines);
    const job = await stack.start('sab');
    expect(await job.result()).toMatchObject({ cause: { type: code } });
    failed.push(job);
  };
  await fail(rows.toReversed(), 'SourceColumnMissing');
  await fail([header, ...rows, `"${canary('open')},${canary('end')}`], 'SourceUnreadable');

  // A look before a run tells columns and lines of the same rows, and of a file that nobody gave a header.
  for (const lines of [[header, ...rows], rows.toReversed()]) {
    await writePeopleFile(stack, lines);
    const look = await stack.client.workflow.start('checkConnector', {
      workflowId: `sab.check.${lines.length}`,
      taskQueue: stack.taskQueue,
      args: [{ connector: 'sab' }],
    });
    const facts = (await look.result()) as object[];
    expect(facts.length).toBeGreaterThan(4);
    const described = [await look.fetchHistory(), (await look.describe()).raw, facts];
    expect(canariesIn(described), look.workflowId).toEqual([]);
  }

  for (const job of [loaded, ...failed]) {
    expect(canariesIn(await knownToTemporal(job)), job.id).toEqual([]);
    expect(canariesIn(await job.progress(), (await job.facts()).error), job.id).toEqual([]);
  }
  expect(canariesIn(await worker.log())).toEqual([]);
  expect(canariesIn(await readFile(inject('temporalLog'), 'utf8'))).toEqual([]);

  // The canaries lived: the store has them all.
  const { rows: kept } = await stack.pool.query(
    `select key, attributes::text as text from resource where key like $1
     union all select key, row_to_json(reject)::text from reject where job_id = $2`,
    [`${mark}%`, loaded.id],
  );
  const text = JSON.stringify(kept);
  for (const place of ['key', 'name', 'date', 'team', 'twin', 'expression', 'member']) {
    expect(text, place).toContain(canary(place));
  }
});

test('the search itself finds a canary in an id, an input, a memo and a failure', async () => {
  await using stack = await startJobStack({ connectors: { sab: {} } });
  const handle = await stack.client.workflow.start('syncJob', {
    workflowId: canary('id'),
    taskQueue: stack.taskQueue,
    args: [{ connector: canary('input') }],
    memo: { note: canary('memo') },
  });
  await handle.signal('resume', { by: canary('signal') });
  await handle.terminate(canary('reason'));
  const found = canariesIn(await knownToTemporal(stack.job(handle))).join();
  for (const place of ['id', 'input', 'memo', 'signal', 'reason']) {
    expect(found).toContain(canary(place));
  }
});
