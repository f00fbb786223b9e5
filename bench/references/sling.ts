/** The fourth reference: sling, which updates and inserts by primary key. */
import { glob, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DayFiles } from '../data-cache.ts';
import type { FileName } from '../generate-data.ts';
import { runProgram } from '../program.ts';
import { rowsOfSchema } from '../row-digest.ts';
import type { MissingTool, Tool } from '../tool.ts';
import { pythonEnvironment } from './python-environment.ts';

export async function findSling(cache: string, signal: AbortSignal): Promise<Tool | MissingTool> {
  const environment = await pythonEnvironment('sling', cache, signal);
  if ('missing' in environment) return { name: 'sling', missing: environment.missing };
  const program = await findProgram(environment.directory);
  if (program === undefined) return { name: 'sling', missing: 'has no program for this platform' };
  return {
    name: 'sling',
    title: 'sling 1.4',
    keepsDeletedRows: true,
    async open({ databaseUrl, home, signal }) {
      const replication = join(home, 'replication.json');
      const env = {
        ...process.env,
        BENCH: `${databaseUrl}?sslmode=disable`,
        SLING_HOME_DIR: home,
        SLING_DISABLE_TELEMETRY: 'true',
      };
      return {
        rows: rowsOfSchema('public'),
        async load(_phase, files) {
          await writeFile(replication, JSON.stringify(replicationOf(files)));
          const options = { env, signal };
          const { seconds } = await runProgram(program, ['run', '-r', replication], options);
          return { seconds };
        },
      };
    },
  };
}

async function findProgram(directory: string): Promise<string | undefined> {
  const places = glob(join(directory, 'lib/python*/site-packages/sling_*/bin/sling-*'));
  for await (const path of places) return path;
  return undefined;
}

/** Its replication.yaml; JSON is YAML. */
function replicationOf(files: DayFiles): object {
  const stream = (name: FileName, primaryKey: readonly string[]) => [
    `file://${files[name]}`,
    { object: `public.${name}`, primary_key: primaryKey },
  ];
  return {
    source: 'file://',
    target: 'BENCH',
    defaults: {
      mode: 'incremental',
      source_options: { format: 'csv', header: true, columns: { '*': 'string' } },
    },
    streams: Object.fromEntries([
      stream('users', ['login']),
      stream('groups', ['code']),
      stream('memberships', ['login', 'code']),
    ]),
  };
}
