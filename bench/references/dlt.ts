/** The third reference: dlt, which merges by primary key. */
import { fileURLToPath } from 'node:url';
import { runProgram } from '../program.ts';
import { rowsOfSchema } from '../row-digest.ts';
import type { MissingTool, Tool } from '../tool.ts';
import { pythonEnvironment } from './python-environment.ts';

const script = fileURLToPath(new URL('./dlt-load.py', import.meta.url));

/** How dlt gets at the rows: it hands files on that it does not look into, or takes Arrow tables. */
const ways = {
  dlt: { mode: 'files', title: 'dlt 1.31, files as they are' },
  arrow: { mode: 'arrow', title: 'dlt 1.31, rows' },
} as const;

export async function findDlt(
  name: keyof typeof ways,
  cache: string,
  signal: AbortSignal,
): Promise<Tool | MissingTool> {
  const { mode, title } = ways[name];
  const environment = await pythonEnvironment('dlt', cache, signal);
  if ('missing' in environment) return { name, missing: environment.missing };
  return {
    name,
    title,
    keepsDeletedRows: true,
    async open({ databaseUrl, home, signal }) {
      const env = {
        ...process.env,
        DATABASE_URL: databaseUrl,
        DLT_DATA_DIR: home,
        RUNTIME__DLTHUB_TELEMETRY: 'false',
        RUNTIME__LOG_LEVEL: 'ERROR',
        DESTINATION__POSTGRES__CSV_FORMAT__INCLUDE_HEADER: 'true',
      };
      return {
        rows: rowsOfSchema('bench'),
        async load(_phase, { directory }) {
          const options = { env, signal };
          const { seconds } = await runProgram(
            environment.python,
            [script, mode, directory],
            options,
          );
          return { seconds };
        },
      };
    },
  };
}
