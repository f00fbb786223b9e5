/** `lockstep run`: one job of a connector. */
import { type Command, Option } from 'commander';
import type { Mode } from '../../engine/job.ts';
import { type CommandContext, examples } from './command.ts';
import { untilJob } from './waiting.ts';

interface Options {
  readonly mode: Mode;
  readonly simulate?: boolean;
  readonly wait: boolean;
  readonly by?: string;
}

export function addRun(program: Command, context: CommandContext): void {
  program
    .command('run')
    .summary('run one job of a connector')
    .description(
      'Runs one job of a connector: export, prepare, gate, load. Waits until it ends or asks (exit code 3).',
    )
    .argument('<connector>', 'a connector of lockstep.yaml')
    .addOption(
      new Option('--mode <mode>', 'everything, or what changed since the last run')
        .choices(['complete', 'incremental'])
        .default('complete'),
    )
    .option('--simulate', 'stop at the gate: compare and count, write nothing')
    .option('--no-wait', 'start it and return; it queues behind a blocked one')
    .option('--by <name>', 'who asks, for the history (default: you@this-machine)')
    .addHelpText(
      'after',
      examples(
        ['lockstep run sab', 'everything of sab; asks when a limit is passed'],
        ['lockstep run sab --simulate', 'what would it change?'],
        ['lockstep run sab --json | jq .counts', 'for scripts'],
      ),
    )
    .action(async (connector: string, options: Options, command: Command) => {
      const { mode, simulate, wait, by } = options;
      await untilJob(context, command, async ({ lockstep, output }, waiting, line) => {
        const onStart = (job: string) => {
          if (!output.isJson && output.terminal.isInteractive) line.note(`Started ${job}`);
        };
        return await lockstep.run(connector, { mode, simulate, wait, by, onStart, ...waiting });
      });
    });
}
