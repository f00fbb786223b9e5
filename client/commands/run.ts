/** `lockstep run`: one job of a connector. */
import { type Command, Option } from 'commander';
import { type Mode, type Task, tasks } from '../../engine/job.ts';
import { type CommandContext, examples } from './command.ts';
import { untilJob } from './waiting.ts';

interface Options {
  readonly mode?: Mode;
  readonly task: Task;
  readonly extraction?: string;
  readonly simulate?: boolean;
  readonly wait: boolean;
  readonly by?: string;
}

export function addRun(program: Command, context: CommandContext): void {
  program
    .command('run')
    .summary('run one job of a connector')
    .description(
      'Runs one job of a connector: export, prepare, gate, load; or one task of it alone. Waits until it ends or asks (exit code 3).',
    )
    .argument('<connector>', 'a connector of lockstep.yaml')
    .addOption(
      new Option(
        '--mode <mode>',
        'everything, or what changed since the last run (default: complete, or as the extraction)',
      ).choices(['complete', 'incremental']),
    )
    .addOption(
      new Option(
        '--task <task>',
        'export: leave an extraction; prepare: leave the delta of a kept one for review; synchronize: load a kept one; expressions: recompute them without an export',
      )
        .choices([...tasks])
        .default('all'),
    )
    .option(
      '--extraction <id>',
      'which one to prepare or synchronize, by its id or its job (default: the last)',
    )
    .option('--simulate', 'stop at the gate: compare and count, write nothing')
    .option('--no-wait', 'start it and return; it queues behind a blocked one')
    .option('--by <name>', 'who asks, for the history (default: you@this-machine)')
    .addHelpText(
      'after',
      examples(
        ['lockstep run sab', 'everything of sab; asks when a limit is passed'],
        ['lockstep run sab --simulate', 'what would it change?'],
        ['lockstep run sab --task prepare --extraction <job>', 'plan Tuesday’s file now'],
        [
          'lockstep run sab --simulate --config new.yaml',
          'what would another configuration change?',
        ],
        ['lockstep run sab --json | jq .counts', 'for scripts'],
      ),
    )
    .action(async (connector: string, options: Options, command: Command) => {
      const { wait } = options;
      await untilJob(context, command, async ({ lockstep, output }, waiting, line) => {
        const onStart = (job: string) => {
          if (!output.isJson && output.terminal.isInteractive) line.note(`Started ${job}`);
        };
        return await lockstep.run(connector, { ...options, wait, onStart, ...waiting });
      });
    });
}
