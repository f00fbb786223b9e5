/** `lockstep reconcile`: one run of a mapping. */
import type { Command } from 'commander';
import { type CommandContext, examples } from './command.ts';
import { untilJob } from './waiting.ts';

interface Options {
  readonly simulate?: boolean;
  readonly wait: boolean;
  readonly by?: string;
}

export function addReconcile(program: Command, context: CommandContext): void {
  program
    .command('reconcile')
    .summary('run one reconciliation of a mapping')
    .description(
      'Assesses the situation of every resource on both sides of a mapping and does what follows from it: prepare, gate, and load into the store or provision to the connected system. It works on what the store holds of that system: `lockstep run` its connector first.',
    )
    .argument('<mapping>', 'a mapping of lockstep.yaml')
    .option('--simulate', 'stop at the gate: compare and count, write nothing')
    .option('--no-wait', 'start it and return; it queues behind a blocked one')
    .option('--by <name>', 'who asks, for the history (default: you@this-machine)')
    .addHelpText(
      'after',
      examples(
        ['lockstep reconcile account_user --simulate', 'what would become of every account?'],
        ['lockstep reconcile account_user', 'do it; asks when a limit is passed'],
        ['lockstep matches account_user', 'what is not clear, for a person to decide'],
      ),
    )
    .action(async (mapping: string, options: Options, command: Command) => {
      await untilJob(context, command, async ({ lockstep, output }, waiting, line) => {
        const onStart = (job: string) => {
          if (!output.isJson && output.terminal.isInteractive) line.note(`Started ${job}`);
        };
        return await lockstep.reconcile(mapping, { ...options, onStart, ...waiting });
      });
    });
}
