/** `lockstep rollback`: takes back what a job has changed. */
import type { Command } from 'commander';
import { type CommandContext, examples } from './command.ts';
import { untilJob } from './waiting.ts';

interface Options {
  readonly simulate?: boolean;
  readonly wait: boolean;
  readonly by?: string;
}

export function addRollback(program: Command, context: CommandContext): void {
  program
    .command('rollback')
    .summary('take back what a job has changed')
    .description(
      'Prepares the inverse of a job’s changes as a new job, judged by the same limits: prepare, gate, load. What was changed again since stays as it is and is listed by `lockstep rejects`. The connected system still says what it said: the next complete job of the connector plans the same changes again.',
    )
    .argument('<job>', 'a job that changed something, from `lockstep jobs`')
    .option('--simulate', 'stop at the gate: compare and count, write nothing')
    .option('--no-wait', 'start it and return; it queues behind a blocked one')
    .option('--by <name>', 'who asks, for the history (default: you@this-machine)')
    .addHelpText(
      'after',
      examples(
        ['lockstep rollback sab.complete.20261122T090050Z-hhz3 --simulate', 'what would go back?'],
        ['lockstep rollback sab.complete.20261122T090050Z-hhz3', 'take it back; asks as any job'],
        ['lockstep deactivate sab', 'keep its schedules from doing it again'],
      ),
    )
    .action(async (job: string, options: Options, command: Command) => {
      const { simulate, wait, by } = options;
      await untilJob(context, command, async ({ lockstep, output }, waiting, line) => {
        const onStart = (started: string) => {
          if (!output.isJson && output.terminal.isInteractive) line.note(`Started ${started}`);
        };
        return await lockstep.rollback(job, { simulate, wait, by, onStart, ...waiting });
      });
    });
}
