/** Scripts of SQL and `\copy`, run by `psql` as one process; without it, by our own driver. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { runProgram } from '../program.ts';
import { withClient } from '../server.ts';

/** A file that is read into a table. */
export interface CopyIn {
  /** Table, and its columns where they are not those of the file: `users (login, mail)`. */
  readonly into: string;
  readonly path: string;
  /** Only into a table that the same transaction has created. Default false. */
  readonly freeze?: boolean;
}

export type SqlScript = readonly (string | CopyIn)[];

/** Runs scripts on a database. */
export interface SqlRunner {
  /** `psql 15.18`, or how else it is done. */
  readonly title: string;
  /** @returns seconds, with the start of the process where there is one. */
  run(script: SqlScript, databaseUrl: string, signal: AbortSignal): Promise<number>;
}

/** `psql` when it is on the PATH. */
export async function findSqlRunner(signal: AbortSignal): Promise<SqlRunner> {
  try {
    const { output } = await runProgram('psql', ['--version'], { signal });
    return { title: `psql ${/[\d.]+/.exec(output)?.[0] ?? ''}`.trim(), run: runWithPsql };
  } catch {
    signal.throwIfAborted();
    return { title: 'pg-copy-streams, psql was not found', run: runWithDriver };
  }
}

async function runWithPsql(
  script: SqlScript,
  databaseUrl: string,
  signal: AbortSignal,
): Promise<number> {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const { seconds } = await runProgram('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1'], {
    input: script
      .map((step) => (typeof step === 'string' ? `${step};` : metaCommand(step)))
      .join('\n'),
    env: {
      ...process.env,
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: pathname.slice(1),
      PGCLIENTENCODING: 'UTF8',
    },
    signal,
  });
  return seconds;
}

function metaCommand({ into, path, freeze }: CopyIn): string {
  return `\\copy ${into} from '${path.replaceAll("'", "''")}' ${copyOptions(freeze)}`;
}

function copyOptions(freeze = false): string {
  return `with (format csv, header${freeze ? ', freeze' : ''})`;
}

async function runWithDriver(
  script: SqlScript,
  databaseUrl: string,
  signal: AbortSignal,
): Promise<number> {
  return await withClient(databaseUrl, signal, async (client) => {
    const started = performance.now();
    for (const step of script) {
      if (typeof step === 'string') await client.query(step);
      else {
        const into = client.query(
          copyFrom(`copy ${step.into} from stdin ${copyOptions(step.freeze)}`),
        );
        await pipeline(createReadStream(step.path), into, { signal });
      }
    }
    return (performance.now() - started) / 1000;
  });
}
