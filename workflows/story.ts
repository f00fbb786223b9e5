/** What the Temporal UI tells of a job, in Markdown: where it stands, what breached, and what each button does. */
import { type Counts, counterNames } from '../engine/counts.ts';
import type { Breach } from '../engine/threshold.ts';
import type { JobProgress } from './messages.ts';

/** The current details of a job. */
export function tellStory(connector: string, progress: JobProgress): string {
  const parts = [`**${connector}** is **${progress.state}**, step *${progress.step}*.`];
  if (progress.state === 'blocked') {
    parts.push(
      'Nothing was written. The job waits for a person, for as long as it takes.',
      breachTable(progress.breaches),
      'Review: `lockstep changes <workflow id>`. Then **Send a Signal**:',
      '- `resume` with `{"by": "your name", "reason": "…"}` applies exactly the reviewed changes, once.',
      '- `abort` with the same input gives them up; the store stays as it is.',
    );
  }
  if (progress.counts) parts.push(countTable(progress.counts));
  parts.push(...progress.notes.map((note) => `- ${note}`));
  return parts.join('\n\n');
}

/** One breach in words. */
export function describeBreach({ threshold, scope, planned, allowed, base }: Breach): string {
  return `Threshold Exceeded: ${threshold} of ${scope}: ${planned} planned, ${allowed} allowed, ${base} stored`;
}

function breachTable(breaches: readonly Breach[]): string {
  if (breaches.length === 0)
    return 'The store moved after the review, so the delta was prepared again.';
  const rows = breaches.map(
    ({ threshold, scope, planned, allowed, base }) =>
      `| ${threshold} | ${scope} | ${planned} | ${allowed} | ${base} |`,
  );
  return [
    '| Threshold Exceeded | scope | planned | allowed | stored |',
    '|---|---|--:|--:|--:|',
    ...rows,
  ].join('\n');
}

function countTable(counts: Counts): string {
  const names = counterNames.filter((name) => counts[name] !== 0);
  if (names.length === 0) return '';
  return [
    `| ${names.join(' | ')} |`,
    `|${names.map(() => '--:').join('|')}|`,
    `| ${names.map((name) => counts[name]).join(' | ')} |`,
  ].join('\n');
}
