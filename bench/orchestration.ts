/** `node bench/orchestration.ts [jobs]`: what a job costs beside its work, one at a time on a quiet local stack. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decideJob } from '../client/decide.ts';
import { startDevStack } from '../client/dev-stack.ts';
import { runJob } from '../client/run.ts';
import { Session } from '../client/session.ts';
import { jobRecord } from '../store/queries/job-document.ts';
import { resumeSignal } from '../workflows/messages.ts';
import { smallConfiguration, writeSmallSource } from './small-connector.ts';
import { spreadHeader, spreadLine } from './spread.ts';

const connector = 'small';
const rows = 40;
const warmUp = 6;

/** How many rows differ from the job before, and how it is resumed; more than 5 % of the rows and more than 10 ask. */
const kinds = {
  'nothing to do': { changed: 0, resume: undefined },
  'one row changed': { changed: 1, resume: undefined },
  'resumed by update': { changed: 20, resume: 'update' },
  'resumed by signal': { changed: 20, resume: 'signal' },
} as const;

/** What is measured of one job, in milliseconds; `events` is a number of them. */
type Figures = Readonly<Record<string, number>>;

async function measure(
  session: Session,
  resume: 'update' | 'signal' | undefined,
): Promise<Figures> {
  const client = await session.temporal();
  const store = await session.store();
  const started = Date.now();
  const { promise, resolve } = Promise.withResolvers<string>();
  const [id] = await Promise.all([
    promise,
    runJob(session, connector, { wait: false, onStart: resolve }),
  ]);
  const handle = client.workflow.getHandle(id);
  let resumed = Number.NaN;
  if (resume) {
    while ((await jobRecord(store, id))?.document.state !== 'blocked') await sleep(10);
    // What a person does after the job asked does not begin while it is still writing that down.
    await sleep(100);
    resumed = Date.now();
    if (resume === 'signal') await handle.signal(resumeSignal, { by: 'bench' });
    else await decideJob(session, 'resume', id, { wait: false });
  }
  await handle.result();
  const answered = Date.now();
  const { closeTime, historyLength } = await handle.describe();
  const job = await jobRecord(store, id);
  if (job?.document.state !== 'succeeded') throw new Error(`${id} is ${job?.document.state}`);
  const step = (name: string) => job.steps.find((each) => each.name === name);
  const exported = step('export')?.endedAt?.getTime() ?? Number.NaN;
  const loaded = step('load')?.startedAt.getTime() ?? Number.NaN;
  if (resume) return { 'resume → load started': loaded - resumed, events: historyLength };
  return {
    'start → result': answered - started,
    'start → export ended': exported - started,
    'export ended → job ended': (job.endedAt?.getTime() ?? Number.NaN) - exported,
    'export ended → workflow closed': (closeTime?.getTime() ?? Number.NaN) - exported,
    events: historyLength,
  };
}

async function bench(jobs: number): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'lockstep-orchestration-'));
  const configurationFile = join(home, 'lockstep.yaml');
  await writeFile(configurationFile, smallConfiguration([connector]));
  await writeSmallSource(join(home, connector), rows);
  const env = { ...process.env, LOCKSTEP_CONFIG: configurationFile };
  const stack = await startDevStack({ env, home, log: () => {} });
  const session = new Session({ environment: stack.environment, configurationFile });
  try {
    // The first load always asks.
    await measure(session, 'update');
    let edition = 0;
    console.log(spreadHeader.join('\n'));
    for (const [kind, { changed, resume }] of Object.entries(kinds)) {
      const measured: Figures[] = [];
      for (let nth = 0; nth < jobs + warmUp; nth++) {
        edition += 1;
        if (changed > 0) await writeSmallSource(join(home, connector), rows, { changed, edition });
        const figures = await measure(session, resume);
        if (nth >= warmUp) measured.push(figures);
      }
      for (const name of Object.keys(measured[0] ?? {})) {
        const values = measured.map((figures) => figures[name] as number);
        console.log(spreadLine(`${kind}: ${name}`, values));
      }
    }
  } finally {
    await session.close();
    await stack.stop();
    await rm(home, { recursive: true, force: true });
  }
}

await bench(Number(process.argv[2] ?? 40));
