/** `lockstep worker`, `lockstep migrate` and `lockstep purge`: the parts alone, for production. */
import { type Command, InvalidArgumentError } from 'commander';
import { LockstepError } from '../../engine/errors.ts';
import { runInForeground, runScript } from '../worker-process.ts';
import { type CommandContext, examples, type GlobalOptions, outputOf } from './command.ts';

export function addWorker(program: Command, context: CommandContext): void {
  program
    .command('worker')
    .summary('a worker, in the foreground')
    .description(
      'Runs a worker in the foreground. It logs JSON to stderr and ends in order on SIGTERM.',
    )
    .addHelpText(
      'after',
      examples(['DATABASE_URL=… TEMPORAL_ADDRESS=… lockstep worker', 'as in production']),
    )
    .action(async (_: unknown, command: Command) => {
      context.exitCode = await runInForeground('main', await environmentFor(context, command));
    });
}

export function addMigrate(program: Command, context: CommandContext): void {
  program
    .command('migrate')
    .summary('bring the database to this version')
    .description('Applies the migrations that the database does not have yet.')
    .addHelpText(
      'after',
      examples(['DATABASE_URL=… lockstep migrate', 'before a new version starts']),
    )
    .action(async (_: unknown, command: Command) => {
      const output = outputOf(context, command);
      const environment = await environmentFor(context, command);
      if (!output.isJson) {
        context.exitCode = await runInForeground('migrate', environment);
        return;
      }
      let printed = '';
      const code = await runScript('migrate', environment, (text) => {
        printed += text;
      });
      if (code !== 0) throw new LockstepError('StoreUnavailable', printed.trim());
      await output.json({ applied: printed.match(/\b\d{14}_\w+/g) ?? [] });
    });
}

export function addPurge(program: Command, context: CommandContext): void {
  program
    .command('purge')
    .summary('take old changes out of the history')
    .description(
      'Removes the single changes of every job that ended before a day. Jobs, counts, decisions and the audit log stay. Runs beside jobs, and may be interrupted.',
    )
    .requiredOption('--before <day>', 'such as 2026-01-31 (UTC)', day)
    .addHelpText(
      'after',
      examples(['lockstep purge --before 2026-01-31', 'as a role that may delete rows']),
    )
    .action(async ({ before }: { before: string }, command: Command) => {
      const output = outputOf(context, command);
      const environment = await environmentFor(context, command);
      let printed = '';
      const write = (text: string) => {
        printed += text;
      };
      const code = await runScript('purge', environment, write, before);
      if (code !== 0) throw new LockstepError('StoreUnavailable', printed.trim());
      const purged = JSON.parse(printed) as { deltas: number; rows: number };
      if (output.isJson) await output.json(purged);
      else await output.text(`Removed ${purged.rows} changes of ${purged.deltas} deltas.\n`);
    });
}

function day(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new InvalidArgumentError('It is a day, such as 2026-01-31.');
}

/** Ours, with the servers of `lockstep dev` where none are named. */
async function environmentFor(
  context: CommandContext,
  command: Command,
): Promise<NodeJS.ProcessEnv> {
  const [{ environmentOf, findDatabaseUrl }, { readDevState }, { lockstepHome }, { readSettings }] =
    await Promise.all([
      import('../servers.ts'),
      import('../../local/dev-state.ts'),
      import('../../local/home.ts'),
      import('../../config/settings.ts'),
    ]);
  const { config } = command.optsWithGlobals<GlobalOptions>();
  const environment =
    config === undefined
      ? context.environment
      : { ...context.environment, LOCKSTEP_CONFIG: config };
  const databaseUrl = await findDatabaseUrl(environment);
  const state = await readDevState(lockstepHome(environment));
  const { configurationFile } = readSettings(environment);
  const found = state ? environmentOf(environment, state) : environment;
  return { ...found, DATABASE_URL: databaseUrl, LOCKSTEP_CONFIG: configurationFile };
}
