/** The command line: every command with its options, and one way for all errors. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { LockstepError } from '../engine/errors.ts';
import { addList, addShow } from './commands/browse.ts';
import { addChanges, addRejects } from './commands/changes.ts';
import { addCheck } from './commands/check.ts';
import { type CommandContext, examples } from './commands/command.ts';
import { addDecision } from './commands/decide.ts';
import { addDev } from './commands/dev.ts';
import { addDelete, addLink, addSet } from './commands/edit.ts';
import { addExplain, addHistory } from './commands/explain.ts';
import { addExtraction, addExtractions } from './commands/extractions.ts';
import { addInit } from './commands/init.ts';
import { addJob, addJobs, addLog } from './commands/jobs.ts';
import { addConfirm, addMatch, addMatches, addUnmatch } from './commands/matches.ts';
import { addMigrate, addPurge, addWorker } from './commands/parts.ts';
import { addReconcile } from './commands/reconcile.ts';
import { addRollback } from './commands/rollback.ts';
import { addRun } from './commands/run.ts';
import { addActivation, addSchedules } from './commands/schedules.ts';
import { addTest } from './commands/test.ts';
import { exitCodeOfError } from './exit-code.ts';
import { Output } from './output/output.ts';

/** Runs one command line; never throws. @returns the exit code. */
export async function runCommandLine(
  args: readonly string[],
  streams: Omit<CommandContext, 'exitCode'>,
): Promise<number> {
  const context: CommandContext = { ...streams, exitCode: 0 };
  try {
    await createProgram(context).parseAsync([...args], { from: 'user' });
    return context.exitCode;
  } catch (error) {
    const known = error instanceof CommanderError ? toUsageError(error) : error;
    if (known === undefined) return 0;
    // What went wrong may be the reading of the options themselves.
    const output = new Output(context, context.environment, args.includes('--json'));
    await output.error(known);
    return exitCodeOfError(known);
  }
}

function createProgram(context: CommandContext): Command {
  const program = new Command('lockstep')
    .description('Keeps identity data in step between the systems that hold it.')
    .version(version())
    .option('--json', 'print one JSON document on stdout, and nothing else there')
    .option(
      '--config <file>',
      'path of lockstep.yaml (default: LOCKSTEP_CONFIG, else ./lockstep.yaml)',
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      // Our own words about an error follow; help that was not asked for goes to stderr.
      writeErr: (text) => void context.stderr.write(text),
      outputError: () => {},
    })
    .exitOverride()
    .showSuggestionAfterError()
    .helpCommand(false)
    .addHelpText(
      'after',
      examples(
        ['lockstep dev', 'start everything on this machine'],
        ['lockstep run sab', 'run one job'],
        ['lockstep jobs --state blocked', 'what waits for a decision'],
      ),
    );
  program.commandsGroup('Work:');
  addRun(program, context);
  addReconcile(program, context);
  addDecision('resume', program, context);
  addDecision('abort', program, context);
  addRollback(program, context);
  addConfirm(program, context);
  addUnmatch(program, context);
  addMatch(program, context);
  program.commandsGroup('Edit:');
  addSet(program, context);
  addDelete(program, context);
  addLink('link', program, context);
  addLink('unlink', program, context);
  program.commandsGroup('Look:');
  addJobs(program, context);
  addJob(program, context);
  addLog(program, context);
  addChanges(program, context);
  addRejects(program, context);
  addExtractions(program, context);
  addExtraction(program, context);
  addList(program, context);
  addShow(program, context);
  addMatches(program, context);
  addExplain(program, context);
  addHistory(program, context);
  program.commandsGroup('Automation:');
  addSchedules(program, context);
  addActivation('activate', program, context);
  addActivation('deactivate', program, context);
  program.commandsGroup('Run it:');
  addInit(program, context);
  addDev(program, context);
  addCheck(program, context);
  addTest(program, context);
  addWorker(program, context);
  addMigrate(program, context);
  addPurge(program, context);
  return program;
}

/** Undefined for help and version, which are no errors. */
function toUsageError({ exitCode, code, message }: CommanderError): LockstepError | undefined {
  if (exitCode === 0) return undefined;
  if (code === 'commander.help')
    return new LockstepError('UsageInvalid', 'Say what to do: lockstep <command>');
  return new LockstepError('UsageInvalid', message.replace(/^error: /, ''));
}

function version(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const text = readFileSync(new URL(place, import.meta.url), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // A build lies one folder deeper than the source.
    }
  }
  return 'unknown';
}
