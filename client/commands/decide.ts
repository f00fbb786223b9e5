/** `lockstep resume` and `lockstep abort`: the decision on a job. */
import type { Command } from 'commander';
import { type CommandContext, examples } from './command.ts';
import { untilJob } from './waiting.ts';

interface Options {
  readonly reason?: string;
  readonly by?: string;
  readonly wait: boolean;
}

const texts = {
  resume: {
    summary: 'let a blocked job apply exactly what it shows',
    description:
      'Lets a blocked job apply exactly the changes that `lockstep changes` shows now. If the store has moved since, it prepares them again and asks again (exit code 3).',
    example: 'lockstep resume sab.complete.20261122T083000Z-ab12 --reason "first load, reviewed"',
    meaning: 'applies what was reviewed',
  },
  abort: {
    summary: 'give up the changes of a job',
    description:
      'Gives up the changes of a job that is blocked, waits, exports or prepares: nothing of it is written (exit code 4).',
    example:
      'lockstep abort sab.complete.20261122T083000Z-ab12 --reason "half the file is missing"',
    meaning: 'writes nothing',
  },
} as const;

export function addDecision(
  action: 'resume' | 'abort',
  program: Command,
  context: CommandContext,
): void {
  const { summary, description, example, meaning } = texts[action];
  program
    .command(action)
    .summary(summary)
    .description(description)
    .argument('<job>', 'id of the job, as `lockstep jobs` lists it')
    .option('--reason <text>', 'why; kept with the job')
    .option('--by <name>', 'who decides (default: you@this-machine)')
    .option('--no-wait', 'do not wait for the end of the job')
    .addHelpText('after', examples([example, meaning]))
    .action(async (id: string, { reason, by, wait }: Options, command: Command) => {
      await untilJob(context, command, async ({ lockstep }, waiting) =>
        lockstep[action](id, { reason, by, wait, ...waiting }),
      );
    });
}
