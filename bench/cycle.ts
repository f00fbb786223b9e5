/** One run of the benchmark: all phases on fresh databases, every tool in every phase, close together in time. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileChunks } from '../connectors/file-chunks.ts';
import type { Data } from './data-cache.ts';
import { files } from './generate-data.ts';
import { type Phase, type PhaseName, phases } from './phase.ts';
import { digestOf, type RowDigests, requireSame } from './row-digest.ts';
import { type Server, withClient } from './server.ts';
import type { OpenTool, Reading, Tool, ToolName } from './tool.ts';

/** What a run needs. */
export interface Cycle {
  readonly data: Data;
  readonly digests: RowDigests;
  readonly tools: readonly Tool[];
  readonly server: Server;
  /** A directory for the tools' own. */
  readonly home: string;
  readonly signal: AbortSignal;
  /** Takes a line about each measurement. */
  readonly log: (text: string) => void;
}

/** A reading of one tool in one phase. */
export interface Measurement extends Reading {
  readonly tool: ToolName;
  readonly phase: PhaseName;
}

interface Stand {
  readonly tool: Tool;
  readonly open: OpenTool;
  readonly databaseUrl: string;
  /** The directory it has to itself. */
  readonly own: string;
}

/** @throws Error when a tool does not hold exactly the rows it should after a phase. */
export async function runCycle(cycle: Cycle): Promise<Measurement[]> {
  await using cleanup = new AsyncDisposableStack();
  const stands: Stand[] = [];
  for (const tool of cycle.tools) stands.push(await openTool(tool, cycle, cleanup));
  const measured: Measurement[] = [];
  for (const phase of phases) {
    for (const stand of stands) {
      await cycle.server.rest();
      await warmUp(stand, phase, cycle);
      const reading = await stand.open.load(phase, cycle.data.days[phase.day]);
      cycle.log(`${phase.name}: ${stand.tool.name} ${describe(reading)}`);
      await cycle.server.tidy(stand.databaseUrl);
      await requireRows(stand, phase, cycle);
      measured.push({ tool: stand.tool.name, phase: phase.name, ...reading });
    }
  }
  return measured;
}

/** The tools before it have taken minutes: what this one reads and has written is in memory for it as for any other. */
async function warmUp(
  { databaseUrl, own }: Stand,
  { day }: Phase,
  { data, server, signal }: Cycle,
): Promise<void> {
  await server.warm(databaseUrl);
  const left = await readdir(own, { recursive: true, withFileTypes: true });
  const paths = left
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name));
  for (const path of [...files.map((name) => data.days[day][name]), ...paths]) {
    for await (const _ of fileChunks(path, { signal }));
  }
}

function describe({ seconds, steps = {}, peakMiB }: Reading): string {
  const parts = Object.entries(steps).map(([name, each]) => `${name} ${each.toFixed(2)}`);
  if (peakMiB) parts.push(`peak ${peakMiB} MiB`);
  return `${seconds.toFixed(2)} s${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`;
}

async function openTool(
  tool: Tool,
  { server, home, signal }: Cycle,
  cleanup: AsyncDisposableStack,
): Promise<Stand> {
  const database = `bench_${tool.name}`;
  const databaseUrl = await server.createDatabase(database);
  const own = join(home, tool.name);
  await mkdir(own);
  cleanup.defer(async () => {
    if (!signal.aborted) await server.dropDatabase(database);
    await rm(own, { recursive: true, force: true });
  });
  const open = await tool.open({ databaseUrl, home: own, signal });
  cleanup.defer(async () => await open.close?.());
  return { tool, open, databaseUrl, own };
}

async function requireRows(
  { tool, open, databaseUrl }: Stand,
  phase: Phase,
  { digests, signal }: Cycle,
): Promise<void> {
  await withClient(databaseUrl, signal, async (client) => {
    for (const name of files) {
      const { exact, kept } = digests[phase.day][name];
      const expected = tool.keepsDeletedRows ? kept : exact;
      const found = await digestOf(client, open.rows[name]);
      requireSame(`${tool.name}, ${phase.name}`, `the rows of ${name}`, found, expected);
    }
  });
}
