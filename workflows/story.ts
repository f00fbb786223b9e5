/** What the Temporal UI tells of a job, in Markdown: where it stands, what breached, and what each button does. */
import { counterNames } from '../engine/counts.ts';
import { describeFinding, type Finding, whatToCheck } from '../engine/diagnosis/diagnosis.ts';
import type { JobTask } from '../engine/job.ts';
import type { Breach } from '../engine/threshold.ts';
import type { JobProgress } from './messages.ts';

/** Which job the story is about. */
export interface Storied {
  readonly connector: string;
  readonly task: JobTask;
  /** Id of the job, which is its workflow's. */
  readonly id: string;
  /** The job whose changes it takes back. */
  readonly rollbackOf?: string | undefined;
  /** The mapping that it reconciles. */
  readonly mapping?: string | undefined;
}

/** The current details of a job. Lists, not tables: the UI sets the cells of a table without a gap. */
export function tellStory(
  { connector, task, id, mapping, rollbackOf }: Storied,
  progress: JobProgress,
): string {
  const what = subjectOf({ connector, task, mapping });
  const parts = [`${what} is **${progress.state}**, step *${progress.step}*.`];
  if (rollbackOf !== undefined) {
    parts.push(
      `It takes back what **${rollbackOf}** has changed; what was changed again since stays, and is listed by \`lockstep rejects ${id}\`.`,
    );
  }
  if (progress.state === 'blocked') {
    parts.push(
      'Nothing was written. The job waits for a person, for as long as it takes.',
      breachList(progress.breaches),
      ...causes(progress.diagnoses),
      `Review every change with \`lockstep changes ${id}\`. Then **More Actions**, **Send a Signal**:`,
      [
        '- `resume` with `{"by": "your name", "reason": "…"}` applies exactly the reviewed changes, once.',
        '- `abort` with the same input gives them up; the store stays as it is.',
      ].join('\n'),
    );
  }
  const counts = counterNames
    .filter((name) => (progress.counts?.[name] ?? 0) !== 0)
    .map((name) => `${name} **${progress.counts?.[name]}**`);
  if (counts.length > 0) parts.push(`Counts: ${counts.join(', ')}.`);
  const notes = progress.notes.map((note) => `- ${note}`);
  if (notes.length > 0) parts.push(notes.join('\n'));
  return parts.join('\n\n');
}

function subjectOf({ connector, task, mapping }: Pick<Storied, 'connector' | 'task' | 'mapping'>) {
  if (task === 'edit') return 'A person’s edit';
  if (mapping !== undefined) return `The reconciliation of **${mapping}**`;
  return `**${connector}**${task === 'all' ? '' : `, task *${task}* alone`}`;
}

/** One breach in words. */
export function describeBreach({ threshold, scope, planned, allowed, base }: Breach): string {
  return `Threshold Exceeded: ${threshold} of ${scope}: ${planned} planned, ${allowed} allowed, ${base} stored`;
}

function causes(diagnoses: readonly Finding[]): string[] {
  if (diagnoses.length === 0) return [];
  const list = diagnoses.map(
    (finding) => `- ${describeFinding(finding)}: ${whatToCheck[finding.kind]}`,
  );
  return [['Likely cause:', ...list].join('\n')];
}

function breachList(breaches: readonly Breach[]): string {
  if (breaches.length === 0) {
    return 'The store moved after the review, so the delta was prepared again.';
  }
  return breaches.map((breach) => `- ${describeBreach(breach)}`).join('\n');
}
