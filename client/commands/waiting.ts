/** Waiting for a job on a terminal: progress on stderr, Ctrl-C leaves the job alone, the outcome on stdout. */
import type { Command } from 'commander';
import type { JobDocument } from '../../engine/job.ts';
import { exitCodeOfJob } from '../exit-code.ts';
import { openProgressLine, type ProgressLine } from '../output/progress-bar.ts';
import type { WaitOptions } from '../wait.ts';
import { type CommandContext, type Opened, withLockstep } from './command.ts';

const interrupted = 130;

/**
 * Runs what ends in a job's document, prints that document, and exits by its state.
 *
 * @param print prints it in another way, if it can: else it answers false
 */
export async function untilJob(
  context: CommandContext,
  command: Command,
  act: (opened: Opened, wait: WaitOptions, line: ProgressLine) => Promise<JobDocument>,
  print?: (opened: Opened, job: JobDocument) => Promise<boolean>,
): Promise<void> {
  const line = openProgressLine(context.stderr, context.environment);
  const giveUp = new AbortController();
  let interruptedAt = 0;
  const onInterrupt = () => {
    // The same Ctrl-C may reach us twice, through the launcher; a second one means it.
    if (giveUp.signal.aborted && Date.now() - interruptedAt > 1000) process.exit(interrupted);
    interruptedAt ||= Date.now();
    giveUp.abort();
  };
  process.on('SIGINT', onInterrupt);
  const run = async (opened: Opened) => {
    const wait = { signal: giveUp.signal, onProgress: line.show };
    const job = await act(opened, wait, line).finally(() => line.stop());
    if (!(await print?.(opened, job))) await printJob(opened, job);
    context.exitCode = exitCodeOfJob(job);
  };
  try {
    await withLockstep(context, command, run, line.note);
  } catch (error) {
    if (!giveUp.signal.aborted) throw error;
    line.note('Not waiting any more; the job goes on. See `lockstep jobs`.');
    context.exitCode = interrupted;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

async function printJob({ session, output }: Opened, job: JobDocument): Promise<void> {
  await output.json(job);
  if (output.isJson) return;
  const [{ jobRecord }, { jobText }] = await Promise.all([
    import('../../store/queries/job-document.ts'),
    import('../output/job-text.ts'),
  ]);
  const history = await jobRecord(await session.store(), job.job);
  await output.text(jobText(output.terminal, job, history));
}
