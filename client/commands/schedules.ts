/** `lockstep schedules`, `activate` and `deactivate`: when jobs start by themselves. */
import type { Command } from 'commander';
import { scheduleChangesText, schedulesText } from '../output/list-text.ts';
import { type CommandContext, examples, withLockstep } from './command.ts';

export function addSchedules(program: Command, context: CommandContext): void {
  const schedules = program
    .command('schedules')
    .summary('when each connector runs by itself')
    .description('Lists the schedules as they stand in Temporal.')
    .addHelpText(
      'after',
      examples(
        ['lockstep schedules', 'what runs when, and what is paused'],
        ['lockstep schedules apply', 'make them say what lockstep.yaml says'],
      ),
    )
    .action(async (_: unknown, command: Command) => {
      await withLockstep(context, command, async ({ lockstep, output }) => {
        const found = await lockstep.schedules();
        await output.json(found);
        await output.text(schedulesText(output.terminal, found, new Date()));
      });
    });
  schedules
    .command('apply')
    .summary('make the schedules say what lockstep.yaml says')
    .description(
      'Creates, updates and deletes schedules so that they say what lockstep.yaml says. A pause is kept.',
    )
    .action(async (_: unknown, command: Command) => {
      await withLockstep(context, command, async ({ lockstep, output }) => {
        const changes = await lockstep.applySchedules();
        await output.json(changes);
        await output.text(scheduleChangesText(output.terminal, changes));
      });
    });
}

const texts = {
  activate: {
    summary: 'put a connector back into its schedules',
    description: 'Puts a connector back into its schedules.',
  },
  deactivate: {
    summary: 'take a connector out of its schedules',
    description:
      'Takes a connector out of its schedules until it is activated again. A job that runs goes on, and `lockstep run` still works.',
  },
} as const;

export function addActivation(
  action: 'activate' | 'deactivate',
  program: Command,
  context: CommandContext,
): void {
  const { summary, description } = texts[action];
  program
    .command(action)
    .summary(summary)
    .description(description)
    .argument('<connector>', 'a connector of lockstep.yaml')
    .option('--reason <text>', 'why; shown with the schedule')
    .option('--by <name>', 'who does it (default: you@this-machine)')
    .addHelpText('after', examples([`lockstep ${action} sab --reason "new mapping"`, summary]))
    .action(
      async (connector: string, options: { reason?: string; by?: string }, command: Command) => {
        await withLockstep(context, command, async ({ lockstep, output }) => {
          const changed = await lockstep[action](connector, options);
          await output.json(changed);
          await output.text(schedulesText(output.terminal, changed, new Date()));
        });
      },
    );
}
