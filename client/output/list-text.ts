/** Lists for people: of jobs, of schedules and of what `check` found. */
import type { JobSummary } from '../../store/queries/jobs.ts';
import type { CheckReport } from '../check.ts';
import type { ScheduleChanges, ScheduleDocument } from '../schedules.ts';
import { ago, duration, localTime } from './duration.ts';
import { stateText } from './job-text.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

const right = 'right' as const;

/** Newest first, with age, duration and what changed. */
export function jobsText(terminal: Terminal, jobs: readonly JobSummary[], now: Date): string {
  if (jobs.length === 0) return 'No jobs. Start one: lockstep run <connector>';
  const columns = [
    { title: 'Job' },
    { title: 'State' },
    { title: 'Started' },
    { title: 'Took', align: right },
    { title: 'Changes' },
    { title: 'By' },
  ];
  const rows = jobs.map((job) => {
    const startedAt = new Date(job.startedAt);
    const isOpen = job.state === 'running' || job.state === 'blocked';
    // A terminated job could not write down when it ended.
    const end = job.endedAt ? new Date(job.endedAt) : isOpen ? now : undefined;
    return [
      job.job,
      stateText(terminal, job.state) + (job.simulated ? ' (simulated)' : ''),
      ago(startedAt, now),
      end ? duration(end.getTime() - startedAt.getTime()) : '?',
      job.error ?? changeSigns(job),
      job.trigger === 'schedule' ? 'schedule' : (job.requestedBy ?? ''),
    ];
  });
  return table(terminal, columns, rows);
}

function changeSigns({ counts, breaches }: JobSummary): string {
  const { inserted, updated, deleted, linksInserted, linksUpdated, linksDeleted } = counts;
  const resources = signs(inserted, updated, deleted);
  const links = signs(linksInserted, linksUpdated, linksDeleted);
  const parts = [resources, links && `links ${links}`, breaches > 0 ? `${breaches} breached` : ''];
  return parts.filter(Boolean).join(', ') || '–';
}

function signs(inserted: number, updated: number, deleted: number): string {
  const parts = [inserted && `+${inserted}`, updated && `~${updated}`, deleted && `-${deleted}`];
  return parts.filter(Boolean).join(' ');
}

/** When each connector runs by itself. */
export function schedulesText(
  terminal: Terminal,
  schedules: readonly ScheduleDocument[],
  now: Date,
): string {
  if (schedules.length === 0) return 'No schedules. Make them: lockstep schedules apply';
  const columns = [
    { title: 'Connector' },
    { title: 'Mode' },
    { title: 'Runs' },
    { title: 'Next' },
    { title: 'Last' },
    { title: 'Note' },
  ];
  const rows = schedules.map(({ connector, mode, recurrence, paused, note, nextRun, lastRuns }) => [
    connector,
    mode,
    recurrence,
    paused ? terminal.colors.yellow('paused') : nextRun ? localTime(new Date(nextRun)) : '–',
    lastRuns[0] ? ago(new Date(lastRuns[0].at), now) : 'never',
    note,
  ]);
  return table(terminal, columns, rows);
}

/** What `schedules apply` did. */
export function scheduleChangesText({ colors }: Terminal, changes: ScheduleChanges): string {
  const lines: string[] = [];
  const list = (ids: readonly string[], word: string, paint: (text: string) => string) => {
    for (const id of ids) lines.push(`${paint(word.padEnd(9))}  ${id}`);
  };
  list(changes.created, 'created', colors.green);
  list(changes.updated, 'updated', colors.yellow);
  list(changes.deleted, 'deleted', colors.red);
  list(changes.unchanged, 'unchanged', colors.dim);
  for (const id of changes.foreign) {
    lines.push(`${colors.red('not ours ')}  ${id} exists in this namespace and was left alone`);
  }
  return lines.length === 0
    ? 'The configuration wants no schedules, and there are none.'
    : lines.join('\n');
}

/** What `check` found. */
export function checkText({ colors }: Terminal, { ok, findings }: CheckReport): string {
  let lastHint = '';
  const lines = findings.map((finding) => {
    const sign = finding.ok ? colors.green('✓') : colors.red('✗');
    const hint =
      finding.hint && finding.hint !== lastHint ? `\n    ${colors.dim(finding.hint)}` : '';
    lastHint = finding.hint;
    return `${sign} ${finding.message}${hint}`;
  });
  const isReady = findings.every((finding) => finding.ok || finding.area === 'data');
  const end = ok
    ? 'All is ready for a run.'
    : colors.bold(
        isReady ? 'Ready for a run, which would set aside what is named.' : 'Not ready for a run.',
      );
  return [...lines, '', end].join('\n');
}
