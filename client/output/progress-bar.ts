/** The progress of a job as one line at the bottom of a terminal; where nobody looks there is none. */
import { Presets, SingleBar } from 'cli-progress';
import type { JobProgress } from '../wait.ts';
import { terminalOf } from './terminal.ts';

/** Shows progress on stderr while a job is waited for. */
export interface ProgressLine {
  show(progress: JobProgress): void;
  /** Writes a line of text above it. */
  note(text: string): void;
  /** Takes it away. */
  stop(): void;
}

/** A line on the stream; on a pipe it only passes notes on. */
export function openProgressLine(
  stream: NodeJS.WriteStream,
  environment: NodeJS.ProcessEnv,
): ProgressLine {
  const { isInteractive, colors } = terminalOf(stream, environment);
  if (!isInteractive) {
    return { show: () => {}, note: (text) => stream.write(`${text}\n`), stop: () => {} };
  }
  const bar = new SingleBar(
    {
      stream,
      format: `  ${colors.cyan('{step}')} {bar} {amount}`,
      barsize: 30,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
    },
    Presets.shades_classic,
  );
  let isStarted = false;
  let lastStep = 'waiting';
  return {
    show({ step = lastStep, progress }) {
      // Between two steps the last one stays.
      lastStep = step;
      const payload = { step: step.padEnd(8), amount: progress ? amountText(progress) : '' };
      const total = Math.max(1, progress?.total ?? 1);
      const done = Math.min(total, progress?.done ?? 0);
      if (isStarted) {
        bar.setTotal(total);
        bar.update(done, payload);
      } else {
        bar.start(total, done, payload);
        isStarted = true;
      }
    },
    note(text) {
      stream.write(`\r\u001b[K${text}\n`);
    },
    stop() {
      if (isStarted) bar.stop();
      isStarted = false;
    },
  };
}

function amountText({ done, total, unit }: NonNullable<JobProgress['progress']>): string {
  const percent = total > 0 ? `${Math.floor((100 * Math.min(done, total)) / total)} %` : '';
  if (unit !== 'bytes') return `${percent}  ${done} of ${total} ${unit}`.trim();
  return `${percent}  ${megabytes(done)} of ${megabytes(total)} MB`.trim();
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
