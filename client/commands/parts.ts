/** `lockstep worker`, `lockstep migrate` and `lockstep purge`: the parts alone, for production. */
import { type Command, InvalidArgumentError, Option } from 'commander';
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
    .summary('remove old changes and old extractions')
    .description(
      'Removes the single changes of every job that ended before a day, and the extractions made before it. Jobs, counts, rejects, decisions and the audit log stay; so does the extraction of each connector that was loaded last. Runs beside jobs, and may be interrupted.',
    )
    .requiredOption('--before <day>', 'such as 2026-01-31 (UTC)', day)
    .addOption(new Option('--only <what>', 'not both').choices(['changes', 'extractions']))
    .addHelpText(
      'after',
      examples(['lockstep purge --before 2026-01-31', 'as a role that may delete rows']),
    )
    .action(async ({ before, only }: { before: string; only?: string }, command: Command) => {
      const output = outputOf(context, command);
      const environment = await environmentFor(context, command);
      let printed = '';
      const write = (text: string) => {
        printed += text;
      };
      const code = await runScript('purge', environment, write, before, ...(only ? [only] : []));
      if (code !== 0) throw new LockstepError('StoreUnavailable', printed.trim());
      const purged = JSON.parse(printed) as Purged;
      await output.json(purged);
      const { readSettings } = await import('../../config/settings.ts');
      await output.text(purgedText(purged, readSettings(environment).extractions));
    });
}

/** What was removed; what was not looked for is left out. `extractions` is null where there is no directory of them. */
interface Purged {
  readonly deltas?: number;
  readonly rows?: number;
  readonly extractions?: number | null;
}

function purgedText({ deltas, rows, extractions }: Purged, directory: string): string {
  const lines = [
    rows !== undefined && `Removed ${rows} changes of ${deltas} deltas.`,
    typeof extractions === 'number' && `Removed ${extractions} extractions.`,
    extractions === null &&
      `There are no extractions at ${directory}: remove them where the workers run.`,
  ];
  return lines.filter(Boolean).join('\n');
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
