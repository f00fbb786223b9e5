// Tests of jobs while no worker is up: what is said of them, and what can be decided.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { check } from '../../client/check.ts';
import { type Lockstep, lockstepOf } from '../../client/lockstep.ts';
import { Session } from '../../client/session.ts';
import { openSeededStore, type SeededStore, seedJob } from './seeded-store.ts';

let seeded: SeededStore;
beforeAll(async () => {
  seeded = await openSeededStore();
});
afterAll(() => seeded[Symbol.asyncDispose]());

let session: Session;
let lockstep: Lockstep;
let client: Client;
let notes: string[];
let connector: string;

beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-no-worker-'));
  connector = `c${randomUUID().slice(0, 8)}`;
  const configurationFile = join(directory, 'lockstep.yaml');
  await writeFile(
    configurationFile,
    `connectors: { ${connector}: { kind: csv, directory: . } }
entityTypes: { p: { connector: ${connector}, source: p.csv, key: id, properties: { id: { column: id } } } }
`,
  );
  notes = [];
  session = new Session({
    environment: {
      DATABASE_URL: seeded.url,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      LOCKSTEP_TASK_QUEUE: `nobody-${connector}`,
    },
    configurationFile,
    identity: 'jane@hr',
    note: (text) => notes.push(text),
  });
  lockstep = lockstepOf(session);
  client = await session.temporal();
  return async () => {
    await session.close();
    await rm(directory, { recursive: true });
  };
});

async function terminate(job: string): Promise<void> {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  await new Client({ connection }).workflow.getHandle(job).terminate('test');
  await connection.close();
}

/** The decision went out as a signal; other notes may follow, since no worker takes the job either. */
async function untilSignalled(): Promise<void> {
  await expect
    .poll(() => notes.some((text) => text.startsWith('No worker answers.')), { timeout: 15_000 })
    .toBe(true);
}

async function start(options: Parameters<Lockstep['run']>[1] = {}): Promise<string> {
  return (await lockstep.run(connector, { ...options, wait: false })).job;
}

test('a job is started with what Temporal can list it by, and told as running', async () => {
  const document = await lockstep.run(connector, { wait: false, simulate: true, by: 'joe' });
  expect(document).toMatchObject({
    connector,
    mode: 'complete',
    state: 'running',
    simulated: true,
  });
  expect(document.job).toMatch(
    new RegExp(`^${connector}\\.complete\\.\\d{8}T\\d{6}Z-[0-9a-z]{4}$`),
  );
  const handle = client.workflow.getHandle(document.job);
  const described = await handle.describe();
  expect(described.type).toBe('syncJob');
  expect(described.memo).toMatchObject({ connector, mode: 'complete', simulated: true, by: 'joe' });
  expect(described.searchAttributes).toMatchObject({
    SyncConnector: [connector],
    SyncMode: ['complete'],
  });
  expect(await described.staticSummary()).toBe(`${connector}, complete, simulated, by joe`);
  const history = await handle.fetchHistory();
  expect(history.events?.[0]?.workflowExecutionStartedEventAttributes?.identity).toBe('jane@hr');
  await terminate(document.job);
});

test('who waits is told once that no worker takes the job, and that it was terminated', async () => {
  const job = Promise.withResolvers<string>();
  const document = lockstep.run(connector, { onStart: job.resolve });
  await expect.poll(() => notes, { timeout: 15_000 }).toHaveLength(1);
  expect(notes[0]).toMatch(/^No worker has taken the job for 5 s \(task queue “nobody-/);
  await terminate(await job.promise);
  expect(await document).toMatchObject({ state: 'failed', error: { code: 'JobTerminated' } });
  expect(notes).toHaveLength(1);
});

test('waiting can be given up; the job goes on', async () => {
  const giveUp = new AbortController();
  const waiting = lockstep.run(connector, {
    signal: giveUp.signal,
    onStart: () => setTimeout(() => giveUp.abort(), 300),
  });
  await expect(waiting).rejects.toThrow('aborted');
  const [open] = await collectOpen();
  expect(open).toBeDefined();
  await terminate(open as string);
});

async function collectOpen(): Promise<string[]> {
  const query = `SyncConnector="${connector}" and ExecutionStatus="Running"`;
  const ids: string[] = [];
  await expect
    .poll(async () => {
      for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
      return ids.length;
    })
    .toBeGreaterThan(0);
  return ids;
}

test('a job that nobody has written down is found by its id, an unknown one is not', async () => {
  const job = await start();
  expect(await lockstep.job(job)).toMatchObject({ job, connector, state: 'running' });
  expect(await lockstep.jobs({ connector })).toEqual([]);
  await expect(lockstep.resume(job)).rejects.toMatchObject({
    code: 'NothingToResume',
    message: `Nothing to resume: ${job} is running, not blocked`,
  });
  await terminate(job);
  await expect(lockstep.resume(job)).rejects.toMatchObject({ code: 'NothingToResume' });
  await expect(lockstep.job(`${job}x`)).rejects.toMatchObject({ code: 'NotFound' });
  await expect(lockstep.resume(`${job}x`)).rejects.toMatchObject({ code: 'NotFound' });
});

test('a decision is kept by Temporal when no worker answers, with the delta that was reviewed', async () => {
  const job = await start();
  await seedJob(seeded.writer, job);
  expect(await lockstep.resume(job, { reason: 'reviewed', wait: false })).toMatchObject({
    state: 'blocked',
  });
  expect(notes).toEqual([
    expect.stringMatching(/^No worker answers\. Temporal keeps the decision/),
  ]);
  const { events } = await client.workflow.getHandle(job).fetchHistory();
  const signal = events?.find(({ workflowExecutionSignaledEventAttributes: sent }) => sent);
  const sent = signal?.workflowExecutionSignaledEventAttributes;
  expect(sent).toMatchObject({ signalName: 'resume', identity: 'jane@hr' });
  const payload = sent?.input?.payloads?.[0]?.data ?? new Uint8Array();
  expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
    by: 'jane@hr',
    reason: 'reviewed',
    delta: 'newest',
  });
  await terminate(job);
});

test('a signalled decision that turns out to be ignored is refused with the reason', async () => {
  const job = await start();
  await seedJob(seeded.writer, job);
  const ignored = (why: string) =>
    seeded.writer.pool.query(
      `insert into decision (job_id, action, via, effect, why, claimed_by)
       values ($1, 'resume', 'signal', 'ignored', $2, 'jane@hr')`,
      [job, why],
    );
  // One of long ago says nothing about this one.
  await ignored('too early');
  const decision = lockstep.resume(job);
  const outcome = decision.catch((error: unknown) => error);
  await untilSignalled();
  await ignored('not an approver: jane@hr');
  expect(await outcome).toMatchObject({
    code: 'NothingToResume',
    message: `${job} did not resume: not an approver: jane@hr`,
  });
  await terminate(job);
});

test('after a decision, blocked on another delta is an answer, blocked on the same is not', async () => {
  const job = await start();
  await seedJob(seeded.writer, job);
  let isAnswered = false;
  const decision = lockstep.resume(job).finally(() => {
    isAnswered = true;
  });
  await untilSignalled();
  // Time for several looks at the same delta: nothing may happen in it.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(isAnswered).toBe(false);
  await seeded.writer.pool.query(
    `insert into delta (job_id, extraction, digest, counts, entity_types, associations, breaches, diagnoses)
     values ($1, 'e', 'again', '{}', '{}', '{}', '[]', '[]')`,
    [job],
  );
  expect(await decision).toMatchObject({ state: 'blocked' });
  await terminate(job);
});

test('the row of a terminated job is open for ever; jobs and job say that it failed', async () => {
  const job = await start();
  await seedJob(seeded.writer, job);
  await seeded.writer.pool.query('update job set connector = $2 where id = $1', [job, connector]);
  expect(await lockstep.jobs({ connector })).toMatchObject([{ job, state: 'blocked' }]);
  await terminate(job);
  expect(await lockstep.job(job)).toMatchObject({
    state: 'failed',
    error: { code: 'JobTerminated' },
  });
  const failed = [{ job, state: 'failed', error: 'JobTerminated' }];
  expect(await lockstep.jobs({ connector })).toMatchObject(failed);
  expect(await lockstep.jobs({ connector, state: 'failed' })).toMatchObject(failed);
  expect(await lockstep.jobs({ connector, state: 'blocked' })).toEqual([]);
  await expect(lockstep.abort(job)).rejects.toMatchObject({ code: 'NothingToResume' });
});

test('who would wait behind a blocked job is told which, and may queue; a terminated one blocks nobody', async () => {
  const holder = await start();
  await seedJob(seeded.writer, holder);
  await seeded.writer.pool.query('insert into lease (connector, holder) values ($1, $2)', [
    connector,
    holder,
  ]);
  await expect(lockstep.run(connector)).rejects.toMatchObject({
    code: 'ConnectorBusy',
    message: expect.stringContaining(holder),
    hint: expect.stringMatching(new RegExp(`lockstep resume ${holder}.*lockstep abort ${holder}`)),
  });
  const queued = await start();
  await terminate(queued);
  await terminate(holder);
  const next = Promise.withResolvers<string>();
  const run = lockstep.run(connector, { onStart: next.resolve });
  await terminate(await next.promise);
  expect(await run).toMatchObject({ state: 'failed', error: { code: 'JobTerminated' } });
});

test('check says which of all is missing: the worker', async () => {
  const { ok, findings } = await check(session);
  expect(ok).toBe(false);
  const bad = findings.filter((finding) => !finding.ok).map(({ area }) => area);
  expect(bad).toEqual(['worker', 'source']);
  expect(findings.at(-1)?.message).toBe('sources and data were not looked at: no worker is up');
  expect(findings.find(({ area }) => area === 'store')?.ok).toBe(true);
  expect(findings.find(({ area }) => area === 'temporal')?.ok).toBe(true);
});
