// Tests of schedules against a real Temporal server: they say what the configuration says, and a pause is kept.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Client,
  Connection,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { beforeEach, expect, inject, test } from 'vitest';
import {
  activate,
  applySchedules,
  deactivate,
  readSchedules,
  type ScheduleChanges,
} from '../../client/schedules.ts';
import { Session } from '../../client/session.ts';

let directory: string;
let connector: string;
let taskQueue: string;
let client: Client;
const sessions: Session[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-schedules-'));
  connector = `c${randomUUID().slice(0, 8)}`;
  taskQueue = `queue-${connector}`;
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  client = new Client({ connection });
  return async () => {
    for (const session of sessions.splice(0)) await session.close();
    for await (const { scheduleId } of client.schedule.list()) {
      if (!scheduleId.startsWith(connector)) continue;
      // The list may be behind: it was deleted already.
      const schedule = client.schedule.getHandle(scheduleId);
      await schedule.delete().catch((error) => expect(error).toBeInstanceOf(ScheduleNotFoundError));
    }
    await connection.close();
    await rm(directory, { recursive: true });
  };
});

/** Writes a configuration in which the connector has this complete schedule. */
async function configured(complete: string, queue = taskQueue): Promise<Session> {
  const file = join(directory, `${randomUUID()}.yaml`);
  await writeFile(
    file,
    `connectors: { ${connector}: { kind: csv, directory: ., schedules: { complete: ${complete} } } }
entityTypes: { p: { connector: ${connector}, source: p.csv, key: id, properties: { id: { column: id } } } }
`,
  );
  const session = new Session({
    environment: { TEMPORAL_ADDRESS: inject('temporalAddress'), LOCKSTEP_TASK_QUEUE: queue },
    configurationFile: file,
    identity: 'jane@hr',
  });
  sessions.push(session);
  return session;
}

const id = () => `${connector}.complete`;
const nightly = '{ every: 1d, at: "04:30", timezone: Europe/Paris }';

function only(change: Partial<ScheduleChanges>): ScheduleChanges {
  return { created: [], updated: [], deleted: [], unchanged: [], foreign: [], ...change };
}

test('a schedule is created as the configuration says, and found unchanged after that', async () => {
  const session = await configured(nightly);
  expect(await applySchedules(session)).toEqual(only({ created: [id()] }));
  expect(await applySchedules(session)).toEqual(only({ unchanged: [id()] }));

  const { spec, action, policies, memo } = await client.schedule.getHandle(id()).describe();
  expect(spec.timezone).toBe('Europe/Paris');
  expect(policies).toEqual({
    overlap: ScheduleOverlapPolicy.ALLOW_ALL,
    catchupWindow: 6 * 3_600_000,
    pauseOnFailure: false,
  });
  expect(action).toMatchObject({
    workflowType: 'syncJob',
    workflowId: id(),
    taskQueue,
    args: [{ connector, mode: 'complete', trigger: 'schedule' }],
    memo: { connector, mode: 'complete' },
  });
  expect(action.searchAttributes).toEqual({ SyncConnector: [connector], SyncMode: ['complete'] });
  expect(memo).toMatchObject({ owner: 'lockstep', taskQueue });
  expect(await readSchedules(session)).toEqual([
    {
      schedule: id(),
      connector,
      mode: 'complete',
      recurrence: 'daily at 04:30 Europe/Paris',
      paused: false,
      note: '',
      nextRun: expect.stringMatching(/T0[23]:30:00\.000Z$/),
      lastRuns: [],
    },
  ]);
});

test.each([
  ['{ every: 90m }', 'every 90 min'],
  ['{ every: 4h }', 'every 4 h'],
  ['{ every: 1w, at: "01:00", on: sunday }', 'sundays at 01:00 UTC'],
])('the schedule %s is given back by Temporal as “%s”, and is the same', async (written, words) => {
  const session = await configured(written);
  await applySchedules(session);
  expect(await applySchedules(session)).toEqual(only({ unchanged: [id()] }));
  expect((await readSchedules(session))[0]?.recurrence).toBe(words);
});

test('a change of the configuration reaches the schedule, and a pause of a person stays with its note', async () => {
  await applySchedules(await configured(nightly));
  await client.schedule.getHandle(id()).pause('fire drill');
  const changed = await configured('{ every: 4h }');
  expect(await applySchedules(changed)).toEqual(only({ updated: [id()] }));
  expect(await readSchedules(changed)).toMatchObject([
    { recurrence: 'every 4 h', paused: true, note: 'fire drill', nextRun: null },
  ]);
});

test('what somebody edited by hand is put back', async () => {
  const session = await configured(nightly);
  await applySchedules(session);
  const handle = client.schedule.getHandle(id());
  await handle.update(({ action, policies, state, spec }) => ({
    spec: { calendars: spec.calendars ?? [], timezone: 'Asia/Tokyo' },
    action,
    policies,
    state,
  }));
  expect(await applySchedules(session)).toEqual(only({ updated: [id()] }));
  await handle.update(({ action, state, spec }) => ({
    spec,
    action,
    policies: { overlap: ScheduleOverlapPolicy.SKIP },
    state,
  }));
  expect(await applySchedules(session)).toEqual(only({ updated: [id()] }));
  const { policies, spec } = await handle.describe();
  expect(policies.overlap).toBe(ScheduleOverlapPolicy.ALLOW_ALL);
  expect(spec.timezone).toBe('Europe/Paris');
});

test('`never` deletes the schedule', async () => {
  await applySchedules(await configured(nightly));
  const never = await configured('never');
  // Temporal lists a new schedule a moment late.
  await expect.poll(async () => (await applySchedules(never)).deleted).toEqual([id()]);
  await expect(client.schedule.getHandle(id()).describe()).rejects.toThrow();
});

test('a schedule that is not ours is left alone: of nobody, or of another task queue', async () => {
  const action = { type: 'startWorkflow', workflowType: 'theirs', taskQueue } as const;
  await client.schedule.create({
    scheduleId: id(),
    spec: { intervals: [{ every: '1h' }] },
    action,
    state: { paused: true },
  });
  const session = await configured(nightly);
  expect(await applySchedules(session)).toEqual(only({ foreign: [id()] }));
  await expect(deactivate(session, connector, {})).rejects.toMatchObject({ code: 'NotFound' });
  expect((await client.schedule.getHandle(id()).describe()).action.workflowType).toBe('theirs');

  await client.schedule.getHandle(id()).delete();
  await applySchedules(session);
  const elsewhere = await configured('never', 'another-queue');
  await expect.poll(async () => (await readSchedules(session)).length).toBe(1);
  expect((await applySchedules(elsewhere)).deleted).toEqual([]);
  expect(await readSchedules(session)).toHaveLength(1);
});

test('a deactivated connector stays so when schedules are applied, until it is activated', async () => {
  const session = await configured(nightly);
  await applySchedules(session);
  const note = 'deactivated by jane@hr: new mapping';
  expect(await deactivate(session, connector, { reason: 'new mapping' })).toMatchObject([
    { paused: true, note, nextRun: null },
  ]);
  expect(await applySchedules(session)).toEqual(only({ unchanged: [id()] }));
  const changed = await configured('{ every: 4h }');
  await applySchedules(changed);
  expect(await readSchedules(changed)).toMatchObject([{ paused: true, note }]);
  expect(await activate(changed, connector, { by: 'joe' })).toMatchObject([
    { paused: false, note: 'activated by joe', nextRun: expect.any(String) },
  ]);
});

test('a schedule made for a deactivated connector is born paused', async () => {
  // CSV has no incremental mode, so its sibling is made by hand here.
  const session = await configured(nightly);
  await client.schedule.create({
    scheduleId: `${connector}.incremental`,
    spec: { intervals: [{ every: '1h' }] },
    action: { type: 'startWorkflow', workflowType: 'syncJob', taskQueue },
    memo: { owner: 'lockstep', taskQueue, connector, mode: 'incremental' },
    state: { paused: true, note: 'deactivated by jane@hr: moving house' },
  });
  expect((await applySchedules(session)).created).toEqual([id()]);
  const { state } = await client.schedule.getHandle(id()).describe();
  expect(state).toMatchObject({ paused: true, note: 'deactivated by jane@hr: moving house' });
});

test('activating a connector that the configuration does not have names the nearest', async () => {
  const session = await configured(nightly);
  await expect(activate(session, `${connector}x`, {})).rejects.toMatchObject({
    code: 'NotFound',
    message: expect.stringContaining(`did you mean “${connector}”?`),
  });
});
