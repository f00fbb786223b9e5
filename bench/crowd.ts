/** `node bench/crowd.ts [connectors]`: many connectors on one worker, all started together: does each get its turn? */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { startDevStack } from '../client/dev-stack.ts';
import { runJob } from '../client/run.ts';
import { applySchedules } from '../client/schedules.ts';
import { Session } from '../client/session.ts';
import { scheduleId } from '../workflows/identifiers.ts';
import { resumeSignal } from '../workflows/messages.ts';
import { peakMemory } from './peak-memory.ts';
import { smallConfiguration, writeSmallSource } from './small-connector.ts';
import { spreadHeader, spreadLine } from './spread.ts';

const big = 'big';
const smallRows = 30;
const bigRows = 50_000;
/** A wave that takes longer is given up. */
const patienceMs = 180_000;

/** One job of a wave: when it started in Temporal, began to export, and ended; in milliseconds since the wave began. */
interface Turn {
  readonly started: number;
  readonly exported: number;
  readonly ended: number;
  /** How long each of its tasks waited for the worker. */
  readonly taskWaits: readonly number[];
}

/** Triggers the schedules of all connectors together and waits until every job has ended; resumes those that ask. */
async function wave(session: Session, connectors: readonly string[]): Promise<Turn[]> {
  const client = await session.temporal();
  const { prisma } = await session.store();
  const since = new Date();
  const mine = { trigger: 'schedule', startedAt: { gte: since } };
  const ended = () => prisma.job.count({ where: { ...mine, endedAt: { not: null } } });
  await Promise.all(
    connectors.map((name) => client.schedule.getHandle(scheduleId(name, 'complete')).trigger()),
  );
  const resumed = new Set<string>();
  while ((await ended()) < connectors.length) {
    if (Date.now() - since.getTime() > patienceMs) throw new Error('the wave does not end');
    for (const { id } of await prisma.job.findMany({ where: { ...mine, state: 'blocked' } })) {
      if (resumed.has(id)) continue;
      resumed.add(id);
      await client.workflow.getHandle(id).signal(resumeSignal, { by: 'bench' });
    }
    await sleep(50);
  }
  const turns: Turn[] = [];
  for (const job of await prisma.job.findMany({ where: mine, include: { steps: true } })) {
    if (job.state !== 'succeeded') throw new Error(`${job.id} is ${job.state}`);
    const { started, taskWaits } = await readHistory(client, job.id);
    const of = (time: Date | null | undefined) => (time?.getTime() ?? Number.NaN) - since.getTime();
    const exported = of(job.steps.find(({ name }) => name === 'export')?.startedAt);
    turns.push({ started: started - since.getTime(), exported, ended: of(job.endedAt), taskWaits });
  }
  return turns;
}

/** When a workflow started, and how long its tasks waited until the worker took them. */
async function readHistory(
  client: Client,
  id: string,
): Promise<{ started: number; taskWaits: number[] }> {
  const { events } = await client.workflow.getHandle(id).fetchHistory();
  const times = (events ?? []).map(
    ({ eventTime }) => Number(eventTime?.seconds) * 1000 + (eventTime?.nanos ?? 0) / 1e6,
  );
  const taskWaits = (events ?? []).flatMap((event, index) => {
    const begun =
      event.workflowTaskStartedEventAttributes ?? event.activityTaskStartedEventAttributes;
    if (!begun) return [];
    return [(times[index] as number) - (times[Number(begun.scheduledEventId) - 1] as number)];
  });
  return { started: times[0] as number, taskWaits };
}

/** Runs a job of the big connector, every row of it changed, again and again until told to stop. */
async function keepBigBusy(
  session: Session,
  directory: string,
  stop: AbortSignal,
): Promise<number[]> {
  const client = await session.temporal();
  const seconds: number[] = [];
  for (let edition = 0; !stop.aborted; edition++) {
    await writeSmallSource(directory, bigRows, { changed: bigRows, edition });
    const started = performance.now();
    const { job, state } = await runJob(session, big, {});
    if (state === 'blocked') {
      const handle = client.workflow.getHandle(job);
      await handle.signal(resumeSignal, { by: 'bench' });
      await handle.result();
    }
    seconds.push((performance.now() - started) / 1000);
  }
  return seconds;
}

function report(name: string, turns: readonly Turn[]): void {
  const line = (what: string, measure: (turn: Turn) => number | readonly number[]) =>
    console.log(spreadLine(`${name}: ${what}`, turns.flatMap(measure)));
  line('trigger → start', ({ started }) => started);
  line('start → export', ({ started, exported }) => exported - started);
  line('start → end', ({ started, ended }) => ended - started);
  line('a task waits for the worker', ({ taskWaits }) => taskWaits);
  const seconds = Math.max(...turns.map(({ ended }) => ended)) / 1000;
  console.log(`| ${name}: jobs per second: ${(turns.length / seconds).toFixed(1)} | | | | | |`);
}

async function bench(count: number): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'lockstep-crowd-'));
  const connectors = Array.from({ length: count }, (_, nth) => `c${nth}`);
  const configurationFile = join(home, 'lockstep.yaml');
  const nightly = { complete: { every: '1d', at: '03:30' } };
  await writeFile(configurationFile, smallConfiguration([...connectors, big], nightly));
  for (const name of connectors) await writeSmallSource(join(home, name), smallRows);
  const env = { ...process.env, LOCKSTEP_CONFIG: configurationFile };
  let started = performance.now();
  const stack = await startDevStack({ env, home, log: () => {} });
  const session = new Session({ environment: stack.environment, configurationFile });
  try {
    console.log(
      `Stack with ${stack.schedules.created.length} new schedules: ${Math.round(performance.now() - started)} ms`,
    );
    started = performance.now();
    const { unchanged } = await applySchedules(session);
    console.log(
      `${unchanged.length} schedules found unchanged: ${Math.round(performance.now() - started)} ms\n`,
    );
    console.log(spreadHeader.join('\n'));
    report('first load, resumed', await wave(session, connectors));
    report('unchanged', await wave(session, connectors));
    const stop = new AbortController();
    const busy = keepBigBusy(session, join(home, big), stop.signal);
    await sleep(1000);
    report(`beside ${bigRows} rows`, await wave(session, connectors));
    stop.abort();
    const seconds = (await busy).map((each) => each.toFixed(1));
    console.log(`\nThe big job, every row new or changed: ${seconds.join(', ')} s`);
    console.log(`Peak memory of the worker: ${await peakMemory(stack.worker.pid)} MiB`);
  } finally {
    await session.close();
    await stack.stop();
    await rm(home, { recursive: true, force: true });
  }
}

await bench(Number(process.argv[2] ?? 200));
