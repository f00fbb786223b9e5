/** The fourth reference: sling, which updates and inserts by columns that are said to be a key. */
import { glob, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DayFiles } from '../data-cache.ts';
import type { FileName } from '../generate-data.ts';
import { runProgram } from '../program.ts';
import { rowsOfSchema } from '../row-digest.ts';
import type { MissingTool, Tool } from '../tool.ts';
import { pythonEnvironment } from './python-environment.ts';

/** How it makes its tables: without any index, as it does by itself, or with the primary keys that keep a row from coming twice. */
const titles = { sling: 'sling 1.4, no keys', keyed: 'sling 1.4, primary keys' } as const;

export async function findSling(
  name: keyof typeof titles,
  cache: string,
  signal: AbortSignal,
): Promise<Tool | MissingTool> {
  const environment = await pythonEnvironment('sling', cache, signal);
  if ('missing' in environment) return { name, missing: environment.missing };
  const program = await findProgram(environment.directory);
  if (program === undefined) return { name, missing: 'has no program for this platform' };
  return {
    name,
    title: titles[name],
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
          await writeFile(replication, JSON.stringify(replicationOf(files, name === 'keyed')));
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
function replicationOf(files: DayFiles, hasKeys: boolean): object {
  const stream = (name: FileName, key: readonly string[]) => [
    `file://${files[name]}`,
    {
      object: `public.${name}`,
      primary_key: key,
      ...(hasKeys && { target_options: { table_keys: { primary: key } } }),
    },
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
