// What people say to a job: which decisions count, which are ignored, and that every one of them is written down.

import { randomUUID } from 'node:crypto';
import { Client, WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hold } from '../support/held-lock.ts';
import { readLeftovers } from '../support/job-facts.ts';
import { type JobStack, type StartedJob, startJobStack, until } from '../support/job-stack.ts';
import { somePeople, writeBulkyMembers } from '../support/people.ts';

const people = somePeople(8);
/** A client whose identity is not that of the tests' own one. */
let mallory: Client;
let stack: JobStack;

beforeAll(async () => {
  const names = [
    'early',
    'update',
    'malformed',
    'digest',
    'twice',
    'waiting',
    'exporting',
    'preparing',
    'cancelled',
  ];
  const connectors = Object.fromEntries(names.map((name) => [name, {}]));
  stack = await startJobStack({
    connectors: {
      ...connectors,
      guarded: { approvers: ['jane@test'] },
      foureyes: { approvals: 2 },
    },
  });
  mallory = new Client({ connection: stack.client.connection, identity: 'mallory@cli' });
  await stack.startWorker();
});
afterAll(() => stack[Symbol.asyncDispose]());

/** Starts the first job of a connector, which always asks. */
async function blockedJob(connector: string): Promise<StartedJob> {
  await stack.writePeople(connector, people);
  const job = await stack.start(connector);
  await job.waitFor('blocked');
  return job;
}

/** Waits until this many decisions are written down. */
async function decisionsOf(job: StartedJob, count: number) {
  return await until(async () => {
    const facts = await job.facts();
    return facts?.decisions.length === count && facts.decisions;
  }, `${count} decisions of ${job.id} are written down`);
}

async function sendRaw(job: StartedJob, encoding: string, data: string): Promise<void> {
  await stack.client.workflowService.signalWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: job.id },
    signalName: 'resume',
    requestId: randomUUID(),
    input: {
      payloads: [{ metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(data) }],
    },
  });
}

const jane = { by: 'jane', reason: 'reviewed' };
const type = expect.objectContaining({ type: 'DecisionRejected' });

describe.concurrent('a decision', { timeout: 180_000 }, () => {
  test('that comes early is ignored and not kept; an abort counts while the job waits its turn', async () => {
    const holder = await blockedJob('early');
    const next = await stack.start('early');
    await until(async () => (await next.facts())?.state === 'running', 'the next job has begun');
    await next.signal('resume', jane);
    const why = expect.stringContaining('early decisions are not kept');
    expect(await decisionsOf(next, 1)).toMatchObject([
      { action: 'resume', effect: 'ignored', why },
    ]);
    await expect(next.handle.executeUpdate('resume', { args: [jane] })).rejects.toMatchObject({
      cause: type,
    });

    await holder.signal('abort', { by: 'jane', reason: 'no' });
    await holder.result();
    expect(await holder.facts()).toMatchObject({ state: 'aborted', steps: { gate: 'aborted' } });
    expect(await stack.people('early')).toEqual([]);
    await next.waitFor('blocked');
    expect((await next.progress()).notes).toEqual([expect.stringContaining('not blocked')]);

    await next.signal('resume', jane);
    await next.result();
    expect(await next.facts()).toMatchObject({ state: 'succeeded', deltas: [{ applied: true }] });
    expect(await stack.people('early')).toEqual(people);
    // It is over: who says it again is told so.
    await expect(next.handle.executeUpdate('resume', { args: [jane] })).rejects.toThrow(
      /completed/,
    );
  });

  test('by update is answered; a second one is refused without a trace in history', async () => {
    const job = await blockedJob('update');
    const answer = await job.handle.executeUpdate('resume', { args: [jane] });
    expect(answer).toEqual({ action: 'resume', effect: 'applied' });
    const again = job.handle.executeUpdate('resume', { args: [jane] });
    await expect(again).rejects.toThrow();
    await job.result();
    const { decisions, state } = await job.facts();
    expect(state).toBe('succeeded');
    expect(decisions).toMatchObject([
      { via: 'update', effect: 'applied', identity: 'jane@test', reason: 'reviewed' },
    ]);
  });

  test('that nobody can read, or under a misspelt name, is ignored; the job waits on', async () => {
    const job = await blockedJob('malformed');
    for (const payload of [null, 42, [1, 2], { by: 5 }, { by: ' ' }, 'jane']) {
      await job.signal('resume', payload);
    }
    await job.signal('resume');
    await job.signal('resme', jane);
    await sendRaw(job, 'json/protobuf', '{"by":"jane"}');
    await sendRaw(job, 'made/up', '\u0000\u0001');
    await sendRaw(job, 'json/plain', '{"by":');
    const decisions = await decisionsOf(job, 11);
    expect(decisions.map(({ effect }) => effect)).toEqual(Array(11).fill('ignored'));
    expect(decisions.filter(({ action }) => action === 'resme')).toMatchObject([
      { why: expect.stringContaining('no signal'), identity: 'jane@test' },
    ]);
    expect((await job.facts()).state).toBe('blocked');
    expect((await job.progress()).notes).toHaveLength(11);
    await expect(job.handle.executeUpdate('resume', { args: [{ by: 5 }] })).rejects.toBeInstanceOf(
      WorkflowUpdateFailedError,
    );

    await job.signal('resume', jane);
    await job.result();
    expect((await job.facts()).state).toBe('succeeded');
    expect(await stack.people('malformed')).toEqual(people);
  });

  test('of an impostor is ignored: the sender is read from history, not from the payload', async () => {
    const job = await blockedJob('guarded');
    const impostor = mallory.workflow.getHandle(job.id);
    const claim = { by: 'jane@test', reason: 'trust me' };
    await impostor.signal('resume', claim);
    await impostor.signal('abort', claim);
    await expect(impostor.executeUpdate('resume', { args: [claim] })).rejects.toMatchObject({
      cause: type,
    });
    const refused = {
      effect: 'ignored',
      claimedBy: 'jane@test',
      identity: 'mallory@cli',
      why: 'not an approver: mallory@cli',
    };
    expect(await decisionsOf(job, 3)).toMatchObject([refused, refused, refused]);
    expect((await job.facts()).state).toBe('blocked');

    await job.signal('resume', { by: 'Jane', reason: 'it is me' });
    await job.result();
    const { state, decisions } = await job.facts();
    expect(state).toBe('succeeded');
    expect(decisions.at(-1)).toMatchObject({ effect: 'applied', identity: 'jane@test' });
  });

  test('of one person is noted where two have to agree, and counts once, under whatever name', async () => {
    const job = await blockedJob('foureyes');
    const noted = await job.handle.executeUpdate('resume', { args: [jane] });
    expect(noted).toMatchObject({ effect: 'noted', why: '1 of 2 people have agreed' });
    await expect(
      job.handle.executeUpdate('resume', { args: [{ by: 'somebody else' }] }),
    ).rejects.toMatchObject({ cause: type });
    expect((await job.facts()).state).toBe('blocked');
    expect(await stack.people('foureyes')).toEqual([]);

    await mallory.workflow.getHandle(job.id).signal('resume', { by: 'Mallory' });
    await job.result();
    const { state, decisions } = await job.facts();
    expect(state).toBe('succeeded');
    expect(decisions).toMatchObject([
      { effect: 'noted', identity: 'jane@test' },
      { effect: 'ignored', why: 'jane@test has agreed already; somebody else has to' },
      { effect: 'applied', identity: 'mallory@cli' },
    ]);
  });

  test('on another delta than the one under review is ignored', async () => {
    const job = await blockedJob('digest');
    await job.signal('resume', { ...jane, delta: 'of another day' });
    const why = expect.stringContaining('another delta');
    expect(await decisionsOf(job, 1)).toMatchObject([{ effect: 'ignored', why }]);
    await job.signal('resume', { ...jane, delta: (await job.facts()).deltas[0]?.digest });
    await job.result();
    expect((await job.facts()).state).toBe('succeeded');
  });

  test('made twice at once is applied once', async () => {
    const job = await blockedJob('twice');
    await Promise.all([
      job.signal('resume', { by: 'jane' }),
      mallory.workflow.getHandle(job.id).signal('resume', { by: 'mallory' }),
      job.signal('abort', { by: 'joe' }),
    ]);
    await job.result();
    const { state, decisions, audit } = await job.facts();
    const applied = decisions.filter(({ effect }) => effect === 'applied');
    expect(decisions).toHaveLength(3);
    expect(applied).toHaveLength(1);
    expect(state).toBe(applied[0]?.action === 'abort' ? 'aborted' : 'succeeded');
    expect(audit.filter((action) => action === 'delta-applied')).toHaveLength(
      state === 'aborted' ? 0 : 1,
    );
    expect(await stack.people('twice')).toEqual(state === 'aborted' ? [] : people);
  });

  test('to abort gives up a job that waits its turn', async () => {
    const holder = await blockedJob('waiting');
    const next = await stack.start('waiting');
    const waits = 'select from lease where waiting = $1';
    await until(async () => (await stack.pool.query(waits, [next.id])).rowCount === 1, 'it waits');
    await next.signal('abort', { by: 'jane', reason: 'not today' });
    expect(await next.result()).toMatchObject({ state: 'aborted' });
    expect(await next.facts()).toMatchObject({ state: 'aborted', steps: {}, error: null });
    // Its place in the line is free, and the holder has not noticed.
    await until(async () => (await stack.pool.query(waits, [next.id])).rowCount === 0, 'it left');
    expect((await holder.facts()).state).toBe('blocked');
    await holder.signal('abort', { by: 'jane' });
    await holder.result();
  });

  test('to abort stops a job that exports; nothing is prepared', async () => {
    await stack.writePeople('exporting', people);
    await writeBulkyMembers(stack.directory('exporting'), people);
    const job = await stack.start('exporting');
    await until(() => stack.exportIsWriting('exporting'), 'the export writes');
    const step = `select from job_step where job_id = $1 and name = 'export' for update`;
    await using end = await hold(stack, [step, [job.id]]);
    await job.signal('abort', { by: 'jane', reason: 'wrong file' });
    expect(await decisionsOf(job, 1)).toMatchObject([{ action: 'abort', effect: 'applied' }]);
    await end.release();
    expect(await job.result()).toMatchObject({ state: 'aborted' });
    const { steps, state } = await job.facts();
    expect(state).toBe('aborted');
    expect(steps).not.toHaveProperty('prepare');
    expect(await stack.people('exporting').catch(() => [])).toEqual([]);
  });

  test('to abort stops a job in the middle of a statement of its preparation', async () => {
    await stack.writePeople('preparing', people);
    await using lock = await hold(stack, ['lock table pending_link in access exclusive mode', []]);
    const job = await stack.start('preparing');
    await lock.hasStopped('pending_link');
    await job.signal('abort', { by: 'jane', reason: 'takes too long' });
    expect(await decisionsOf(job, 1)).toMatchObject([{ action: 'abort', effect: 'applied' }]);
    // The lock is still held: the statement did not end, it was cancelled.
    expect(await job.result()).toMatchObject({ state: 'aborted' });
    expect((await job.facts()).deltas).toEqual([]);
  });

  test('by cancelling the workflow in Temporal is an abort, whatever is said at the same time', async () => {
    const job = await blockedJob('cancelled');
    await job.handle.cancel();
    await job.signal('resume', jane).catch(() => {});
    expect(await job.result()).toMatchObject({ cause: { name: 'CancelledFailure' } });
    const { state, decisions, deltas } = await job.facts();
    expect(state).toBe('aborted');
    expect(decisions).toContainEqual(
      expect.objectContaining({ via: 'cancel', effect: 'applied', identity: 'jane@test' }),
    );
    expect(deltas).toMatchObject([{ applied: false }]);
    expect(await stack.people('cancelled')).toEqual([]);
    expect(await readLeftovers(stack.pool, 'cancelled')).toEqual({ dangling: 0, held: 0, open: 0 });
    expect((await job.handle.describe()).status.name).toBe('CANCELLED');
  });
});
