/** Lockstep as it is: Temporal, a worker and the client, as `lockstep dev` starts them. */
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startDevStack } from '../client/dev-stack.ts';
import { connectLockstep, type Lockstep } from '../client/lockstep.ts';
import { type Counts, noCounts } from '../engine/counts.ts';
import type { JobDocument } from '../engine/job.ts';
import { jobRecord } from '../store/queries/job-document.ts';
import { openReadStore, type ReadStore } from '../store/queries/read-store.ts';
import { type Changes, columns, type FileChange } from './generate-data.ts';
import { lockstepConfiguration, names } from './lockstep-configuration.ts';
import { peakMemory } from './peak-memory.ts';
import type { Phase } from './phase.ts';
import { requireSame } from './row-digest.ts';
import type { Reading, Tool, ToolPlace } from './tool.ts';

/** @param changes what the generator says a job must count */
export function lockstep(changes: Changes): Tool {
  return {
    name: 'lockstep',
    title: '**Lockstep**',
    keepsDeletedRows: false,
    async open(place) {
      await using started = new AsyncDisposableStack();
      const running = started.use(await startLockstep(place));
      const store = openReadStore(place.databaseUrl, 'lockstep bench');
      started.defer(() => store.close());
      const all = started.move();
      return {
        rows,
        async load(phase, files) {
          const { seconds, job } = await running.load(files.directory);
          requireSame(job.job, 'counts', countsOf(job), expectedCounts(phase, changes));
          const peakMiB = await peakMemory(running.workerPid);
          return { seconds, steps: await stepsOf(store, job), ...(peakMiB && { peakMiB }) };
        },
        close: () => all.disposeAsync(),
      };
    },
  };
}

/** Lockstep at work on a database of its own. */
export interface RunningLockstep extends AsyncDisposable {
  readonly client: Lockstep;
  readonly workerPid: number | undefined;
  /** Runs a job on the files of a directory, and resumes it when it asks. @throws Error when it does not succeed */
  load(directory: string): Promise<{ seconds: number; job: JobDocument }>;
}

/** @param searchable see {@link lockstepConfiguration} */
export async function startLockstep(
  { databaseUrl, home, signal }: ToolPlace,
  searchable?: readonly string[],
): Promise<RunningLockstep> {
  await using started = new AsyncDisposableStack();
  const current = join(home, 'current');
  const configurationFile = join(home, 'lockstep.yaml');
  await writeFile(configurationFile, lockstepConfiguration(current, searchable));
  const env = environmentOf(databaseUrl, configurationFile);
  const stack = await startDevStack({ env, home, log: () => {} });
  started.defer(() => stack.stop());
  const note = (text: string) => console.error(text);
  const client = await connectLockstep({ environment: stack.environment, configurationFile, note });
  started.defer(() => client.close());
  const running = started.move();
  return {
    client,
    // Another one once the worker was started again.
    get workerPid() {
      return stack.worker.pid;
    },
    async load(directory) {
      await rm(current, { force: true });
      await symlink(directory, current);
      const { seconds, job } = await run(client, signal);
      requireSame(job.job, 'state', job.state, 'succeeded');
      return { seconds, job };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Never the user's own Temporal: starting a stack changes the schedules there. */
function environmentOf(databaseUrl: string, configurationFile: string): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(
    ([name]) => !/^(TEMPORAL|LOCKSTEP)_/.test(name),
  );
  return {
    ...Object.fromEntries(others),
    DATABASE_URL: databaseUrl,
    LOCKSTEP_CONFIG: configurationFile,
  };
}

const userTexts = columns.users.map((column) => {
  if (column === 'hired') return `to_char(hired, 'DD/MM/YYYY')`;
  return column === 'status' ? `case when active then 'A' else 'I' end` : column;
});

const rows = {
  users: `select ${userTexts} from views.${names.users}`,
  groups: `select ${columns.groups} from views.${names.groups}`,
  memberships: `select ${names.users}, ${names.groups} from views.${names.memberships}`,
} as const;

/** Runs the connector and, when it asks, resumes it; the time of the two together, without the time between. */
async function run(
  client: Lockstep,
  signal: AbortSignal,
): Promise<{ seconds: number; job: JobDocument }> {
  let started = performance.now();
  let job = await client.run(names.connector, { signal });
  let seconds = (performance.now() - started) / 1000;
  if (job.state === 'blocked') {
    started = performance.now();
    job = await client.resume(job.job, { reason: 'benchmark', signal });
    seconds += (performance.now() - started) / 1000;
  }
  return { seconds, job };
}

type CountsByScope = Readonly<Record<string, Counts>>;

function countsOf({ entityTypes, associations }: JobDocument): CountsByScope {
  return { ...entityTypes, ...associations };
}

/** What a job must have counted. A user has the links of memberships: they count there as well. */
function expectedCounts(phase: Phase, changes: Changes): CountsByScope {
  const users = countsOfFile(phase, changes.users);
  const groups = countsOfFile(phase, changes.groups);
  const memberships = countsOfFile(phase, changes.memberships);
  const links = { linksInserted: memberships.inserted, linksDeleted: memberships.deleted };
  const { read, unchanged } = memberships;
  return {
    [names.groups]: { ...noCounts, ...groups },
    [names.users]: { ...noCounts, ...users, ...links },
    [names.memberships]: { ...noCounts, read, unchanged, ...links },
  };
}

/** Rows read, confirmed and changed; the two are the same when the phase before had the same rows. */
function countsOfFile({ day, changesRows }: Phase, file: FileChange) {
  const { rows, inserted, updated, deleted } = file;
  const read = day === 'day-0' ? rows : rows + inserted - deleted;
  const nothing = { inserted: 0, updated: 0, deleted: 0 };
  if (!changesRows) return { read, unchanged: read, ...nothing };
  if (day === 'day-0') return { read, unchanged: 0, ...nothing, inserted: read };
  return { read, unchanged: rows - updated - deleted, inserted, updated, deleted };
}

async function stepsOf(
  store: ReadStore,
  { job }: JobDocument,
): Promise<NonNullable<Reading['steps']>> {
  const record = await jobRecord(store, job);
  const steps = record?.steps.map(({ name, startedAt, endedAt }) => [
    name,
    ((endedAt?.getTime() ?? Number.NaN) - startedAt.getTime()) / 1000,
  ]);
  return Object.fromEntries(steps ?? []);
}
