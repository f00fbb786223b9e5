/** `npm run bench`: Lockstep and its references on the same data and server; see `--help`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory } from '../local/home.ts';
import { type BenchmarkArguments, readArguments } from './arguments.ts';
import { runCycle } from './cycle.ts';
import { dataOf } from './data-cache.ts';
import type { SizeName } from './generate-data.ts';
import { lockstep } from './lockstep.ts';
import { describeMachine, loadAverage } from './machine.ts';
import { copyReference } from './references/copy.ts';
import { findDlt } from './references/dlt.ts';
import { setBasedSql } from './references/set-based-sql.ts';
import { findSling } from './references/sling.ts';
import { findSqlRunner, type SqlRunner } from './references/sql-script.ts';
import { machineReport, notes, scalingReport, sizeReport } from './report.ts';
import type { BenchmarkResult, RunResult, SizeResult } from './result.ts';
import { digestFiles } from './row-digest.ts';
import { type Server, startServer, tuning, withClient } from './server.ts';
import type { MissingTool, Tool, ToolName } from './tool.ts';

/** What all sizes share. */
interface Bench {
  readonly server: Server;
  readonly home: string;
  readonly cache: string;
  readonly references: readonly Tool[];
  readonly measuresLockstep: boolean;
  readonly runs: number;
  readonly signal: AbortSignal;
}

async function benchmark(args: BenchmarkArguments, signal: AbortSignal): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'lockstep-benchmark-'));
  cleanup.defer(() => rm(home, { recursive: true, force: true }));
  const cache = cacheDirectory(process.env);
  const runner = await findSqlRunner(signal);
  const found = await findReferences(args.tools, runner, cache, signal);
  const references = found.filter((tool) => 'open' in tool);
  const missing = found.filter((tool) => 'missing' in tool);
  for (const tool of missing) console.error(`Without ${tool.name}: it ${tool.missing}`);
  const server = cleanup.use(await startServer(home, signal));
  const settings = Object.entries(tuning).map((setting) => setting.join(' '));
  const machine = describeMachine({
    PostgreSQL: [server.version, ...settings].join(', '),
    'SQL through': runner.title,
  });
  console.log(`${machineReport(machine, missing)}\n`);

  const measuresLockstep = args.tools.includes('lockstep');
  const bench = { server, home, cache, references, measuresLockstep, runs: args.runs, signal };
  const sizes: SizeResult[] = [];
  for (const size of args.sizes) {
    const { result, tools } = await measureSize(bench, size);
    sizes.push(result);
    console.log(`${sizeReport(result, tools)}\n`);
    if (args.json !== undefined) {
      const all: BenchmarkResult = { machine, missing, sizes };
      await writeFile(args.json, `${JSON.stringify(all, null, 2)}\n`);
    }
    if (size !== args.sizes.at(-1)) continue;
    const scaling = scalingReport(sizes, tools);
    if (scaling) console.log(`${scaling}\n`);
    console.log(notes(tools));
  }
}

async function findReferences(
  names: readonly ToolName[],
  runner: SqlRunner,
  cache: string,
  signal: AbortSignal,
): Promise<(Tool | MissingTool)[]> {
  const found = [copyReference(runner)] as (Tool | MissingTool)[];
  for (const name of ['sql', 'freeze'] as const) {
    if (names.includes(name)) found.push(setBasedSql(runner, name));
  }
  for (const name of ['dlt', 'arrow'] as const) {
    if (names.includes(name)) found.push(await findDlt(name, cache, signal));
  }
  for (const name of ['sling', 'keyed'] as const) {
    if (names.includes(name)) found.push(await findSling(name, cache, signal));
  }
  return found;
}

async function measureSize(
  { server, home, cache, references, measuresLockstep, runs, signal }: Bench,
  size: SizeName,
): Promise<{ result: SizeResult; tools: readonly Tool[] }> {
  const data = await dataOf(size, cache, signal);
  const { changes, bytes } = data;
  console.error(`${size}: reading the files`);
  const digests = await withClient(
    await server.createDatabase('bench_files'),
    signal,
    async (client) => await digestFiles(client, data, signal),
  );
  await server.dropDatabase('bench_files');
  const tools = measuresLockstep ? [...references, lockstep(changes)] : references;
  const results: RunResult[] = [];
  for (let run = 1; run <= runs; run++) {
    const before = loadAverage();
    const log = (text: string) => console.error(`${size}, run ${run} of ${runs}, ${text}`);
    log(`load average ${before}`);
    // Who comes when is of account: for what the others have left in memory, and on the disk.
    const first = (run - 1) % tools.length;
    const turns = [...tools.slice(first), ...tools.slice(0, first)];
    const measurements = await runCycle({ data, digests, tools: turns, server, home, signal, log });
    results.push({ loadAverage: before, measurements });
  }
  return { result: { size, bytes, changes, runs: results }, tools };
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (!interruption.signal.aborted) console.error('Interrupted: stopping what was started …');
    interruption.abort();
  });
}
try {
  await benchmark(readArguments(process.argv.slice(2)), interruption.signal);
} catch (error) {
  if (!interruption.signal.aborted) throw error;
  process.exitCode = 130;
}
