/** The log of a job: what was written down of it, in the order in which it happened. */
import { type Counts, counterNames } from '../engine/counts.ts';
import type { StepName } from '../engine/job.ts';
import { type DeltaRecord, jobDeltas, jobExport } from '../store/queries/job-deltas.ts';
import type { DecisionRecord, JobRecord, StepRecord } from '../store/queries/job-document.ts';
import { describeBreach } from '../workflows/story.ts';
import { viewRecord } from './job-view.ts';
import type { Session } from './session.ts';

/** One line of the log. It holds ids, counts, codes and who decided, no values of identity data. */
export interface LogEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly level: 'info' | 'warn' | 'error';
  /** The step it is about; null for the job as a whole. */
  readonly step: StepName | null;
  readonly message: string;
}

/** What a log is made of. */
export interface LoggedJob {
  readonly record: JobRecord;
  readonly deltas: readonly DeltaRecord[];
  readonly exported: { readonly rows: number; readonly bytes: number } | undefined;
}

/** The log of a job; empty while no worker has begun it. */
export async function viewLog(session: Session, id: string): Promise<LogEntry[]> {
  const { record } = await viewRecord(session, id);
  if (record === undefined) return [];
  const store = await session.store();
  const [deltas, exported] = await Promise.all([jobDeltas(store, id), jobExport(store, id)]);
  return logOf({ record, deltas, exported });
}

/** Puts the entries of a job in order. A step that was tried again is told as it went at last. */
export function logOf({ record, deltas, exported }: LoggedJob): LogEntry[] {
  const entries = [
    began(record),
    ...record.steps.flatMap((step) => told(step, exported)),
    ...deltas.flatMap(prepared),
    ...record.decisions.map(decided),
    ...ended(record),
  ];
  return entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function entry(
  at: Date,
  step: StepName | null,
  message: string,
  level: LogEntry['level'] = 'info',
): LogEntry {
  return { at: at.toISOString(), level, step, message };
}

function began({ document, startedAt, trigger, requestedBy }: JobRecord): LogEntry {
  const { connector, mode, task, extraction } = document;
  const alone = task === 'all' ? '' : `, ${task} alone`;
  const what = task === 'edit' ? 'an edit' : `${connector}, ${mode}${alone}`;
  const on = task === 'all' || task === 'export' || !extraction ? '' : `, on ${extraction}`;
  const who = trigger === 'schedule' ? 'its schedule' : (requestedBy ?? 'a person');
  return entry(startedAt, null, `job began: ${what}${on}, by ${who}`);
}

function told(
  { name, state, startedAt, endedAt }: StepRecord,
  exported: LoggedJob['exported'],
): LogEntry[] {
  const waits = name === 'gate' ? 'blocked: waits for a person' : `${name} began`;
  const start = entry(startedAt, name, waits, name === 'gate' ? 'warn' : 'info');
  if (endedAt === null) return [start];
  const read =
    name === 'export' && state === 'succeeded' && exported
      ? `: ${exported.rows} rows, ${exported.bytes} bytes`
      : '';
  const level = state === 'failed' ? 'error' : state === 'aborted' ? 'warn' : 'info';
  const end = entry(endedAt, name, `${name} ${state}${read}`, level);
  // What was skipped never began.
  return state === 'skipped' ? [end] : [start, end];
}

function prepared({ preparedAt, appliedAt, counts, breaches }: DeltaRecord): LogEntry[] {
  const planned = entry(preparedAt, 'prepare', `prepared: ${countsText(counts)}`);
  const warnings = breaches.map((breach) =>
    entry(preparedAt, 'prepare', describeBreach(breach), 'warn'),
  );
  return [planned, ...warnings, ...(appliedAt ? [entry(appliedAt, 'load', 'applied')] : [])];
}

function countsText(counts: Counts): string {
  const told = counterNames.filter((name) => counts[name] !== 0);
  return told.map((name) => `${name} ${counts[name]}`).join(', ') || 'nothing';
}

function decided({ at, action, claimedBy, effect, why }: DecisionRecord): LogEntry {
  const fate = { applied: '', noted: `: ${why}`, ignored: `: ignored, ${why}` }[effect];
  const level = effect === 'ignored' ? 'warn' : 'info';
  return entry(at, 'gate', `${action} by ${claimedBy ?? 'nobody'}${fate}`, level);
}

function ended({ document: { state, error }, endedAt }: JobRecord): LogEntry[] {
  if (endedAt === null) return [];
  const why = error === null ? '' : `: ${error.code}: ${error.message}`;
  return [entry(endedAt, null, `job ended: ${state}${why}`, state === 'failed' ? 'error' : 'info')];
}
