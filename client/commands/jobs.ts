/** `lockstep jobs` and `lockstep job`: the history. */
import { type Command, Option } from 'commander';
import type { JobState } from '../../engine/job.ts';
import { type CommandContext, examples, withLockstep } from './command.ts';
import { count } from './option.ts';

const states = [
  'running',
  'blocked',
  'succeeded',
  'succeeded-with-rejects',
  'skipped',
  'aborted',
  'failed',
];

export function addJobs(program: Command, context: CommandContext): void {
  program
    .command('jobs')
    .summary('the jobs, newest first')
    .description('Lists the jobs, newest first.')
    .option('--connector <name>', 'only jobs of this connector')
    .option('--mapping <name>', 'only reconciliations of this mapping')
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(states))
    .option('--limit <n>', 'how many at most', count, 50)
    .addHelpText(
      'after',
      examples(
        ['lockstep jobs', 'the last 50'],
        ['lockstep jobs --state blocked', 'those that wait for a decision'],
      ),
    )
    .action(
      async (
        options: { connector?: string; mapping?: string; state?: JobState; limit: number },
        command: Command,
      ) => {
        await withLockstep(context, command, async ({ lockstep, output }) => {
          const { jobsText } = await import('../output/list-text.ts');
          const jobs = await lockstep.jobs(options);
          await output.json(jobs);
          await output.text(jobsText(output.terminal, jobs, new Date()));
        });
      },
    );
}

export function addJob(program: Command, context: CommandContext): void {
  program
    .command('job')
    .summary('one job: steps, counts, breaches, decisions')
    .description(
      'Shows one job: its steps with their timing, counts, breaches, decisions and error.',
    )
    .argument('<job>', 'id of the job, as `lockstep jobs` lists it')
    .addHelpText(
      'after',
      examples(['lockstep job sab.complete.20261122T083000Z-ab12', 'all about it']),
    )
    .action(async (id: string, _: unknown, command: Command) => {
      await withLockstep(context, command, async ({ session, output }) => {
        const [{ viewRecord }, { jobDetailText }] = await Promise.all([
          import('../job-view.ts'),
          import('../output/job-text.ts'),
        ]);
        const { document, record } = await viewRecord(session, id);
        await output.json(document);
        const history = record ?? { steps: [], decisions: [], rejects: {} };
        await output.text(jobDetailText(output.terminal, document, history));
      });
    });
}

export function addLog(program: Command, context: CommandContext): void {
  program
    .command('log')
    .summary('what happened to a job, and when')
    .description(
      'Tells what happened to a job, oldest first: its steps, counts, breaches, decisions and end. Attempts that were repeated are in the worker’s log.',
    )
    .argument('<job>', 'id of the job, as `lockstep jobs` lists it')
    .addHelpText(
      'after',
      examples(['lockstep log sab.complete.prepare.20261122T083000Z-ab12', 'all of it, in order']),
    )
    .action(async (id: string, _: unknown, command: Command) => {
      await withLockstep(context, command, async ({ lockstep, output }) => {
        const { logText } = await import('../output/log-text.ts');
        const entries = await lockstep.log(id);
        await output.json(entries);
        await output.text(logText(output.terminal, entries));
      });
    });
}
