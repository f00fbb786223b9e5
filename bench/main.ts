/** `npm run bench [10k|100k|1m]`: the real product on generated data, beside COPY of the same files in the same run. */
import { createReadStream } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type DevStack, startDevStack } from '../client/dev-stack.ts';
import { connectLockstep, type Lockstep } from '../client/lockstep.ts';
import { benchmarkConfiguration, generateData, type SizeName, sizes } from './generate-data.ts';

const files = ['users.csv', 'groups.csv', 'memberships.csv'];

/** Seconds that COPY of the files into new unlogged tables of text columns takes, and nothing else. */
async function copySeconds(databaseUrl: string, directory: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (const file of files) {
      const [header = ''] = (await readFile(join(directory, file), 'utf8')).split('\n', 1);
      const columns = header.split(',').map((column) => `${pg.escapeIdentifier(column)} text`);
      await client.query(`create unlogged table if not exists ${tableOf(file)} (${columns})`);
      await client.query(`truncate ${tableOf(file)}`);
    }
    const started = performance.now();
    for (const file of files) {
      const into = client.query(copyFrom(`copy ${tableOf(file)} from stdin (format csv, header)`));
      await pipeline(createReadStream(join(directory, file)), into);
    }
    return (performance.now() - started) / 1000;
  } finally {
    for (const file of files) await client.query(`drop table if exists ${tableOf(file)}`);
    await client.end();
  }
}

function tableOf(file: string): string {
  return `bench_${file.replace('.csv', '')}`;
}

/** Runs the connector and, when it asks, resumes it; the time of the two together, without the time between. */
async function runSeconds(lockstep: Lockstep): Promise<{ seconds: number; state: string }> {
  let started = performance.now();
  let job = await lockstep.run('bench');
  let seconds = (performance.now() - started) / 1000;
  if (job.state === 'blocked') {
    started = performance.now();
    job = await lockstep.resume(job.job, { reason: 'benchmark' });
    seconds += (performance.now() - started) / 1000;
  }
  return { seconds, state: job.state };
}

/** The most memory the worker has had, in MiB (Linux only). */
async function peakMemory({ worker }: DevStack): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${worker.pid}/status`, 'utf8');
    return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
  } catch {
    return undefined;
  }
}

async function bench(size: SizeName): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'lockstep-bench-'));
  const current = join(home, 'current');
  const configurationFile = join(home, 'lockstep.yaml');
  console.log(`Generating ${size}: ${JSON.stringify(sizes[size])} …`);
  await generateData(home, sizes[size]);
  await writeFile(configurationFile, benchmarkConfiguration(current));
  const env = { ...process.env, LOCKSTEP_CONFIG: configurationFile };
  const stack = await startDevStack({ env, home, log: () => {} });
  const { environment } = stack;
  const lockstep = await connectLockstep({ environment, configurationFile });
  try {
    console.log('run         Lockstep s  COPY s  ratio  worker MiB  state');
    for (const [name, day] of [
      ['first load', 'day-0'],
      ['unchanged', 'day-0'],
      ['next day', 'day-1'],
      ['unchanged', 'day-1'],
    ] as const) {
      await rm(current, { recursive: true, force: true });
      await cp(join(home, day), current, { recursive: true });
      const reference = await copySeconds(stack.state.databaseUrl, current);
      const { seconds, state } = await runSeconds(lockstep);
      const cells = [
        name.padEnd(10),
        seconds.toFixed(1).padStart(10),
        reference.toFixed(1).padStart(6),
        (seconds / reference).toFixed(2).padStart(5),
        String((await peakMemory(stack)) ?? '?').padStart(10),
        state,
      ];
      console.log(cells.join('  '));
    }
  } finally {
    await lockstep.close();
    await stack.stop();
    await rm(home, { recursive: true, force: true });
  }
}

const [size = '100k'] = process.argv.slice(2);
if (!(size in sizes)) throw new RangeError(`the sizes are ${Object.keys(sizes).join(', ')}`);
await bench(size as SizeName);
