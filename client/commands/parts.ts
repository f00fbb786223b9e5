/** `lockstep worker` and `lockstep migrate`: the parts alone, for production. */
import type { Command } from 'commander';
import { LockstepError } from '../../engine/errors.ts';
import { runInForeground, runMigration } from '../worker-process.ts';
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
      const code = await runMigration(environment, (text) => {
        printed += text;
      });
      if (code !== 0) throw new LockstepError('StoreUnavailable', printed.trim());
      await output.json({ applied: printed.match(/\b\d{14}_\w+/g) ?? [] });
    });
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
