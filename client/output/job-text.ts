/** A job for people: where it stands in words, what it changes, and what to type next. */
import type { Counts } from '../../engine/counts.ts';
import { changesNothing } from '../../engine/counts.ts';
import type { JobDocument, JobState } from '../../engine/job.ts';
import type { JobRecord } from '../../store/queries/job-document.ts';
import { diagnosisText } from './diagnosis-text.ts';
import { duration, localTime } from './duration.ts';
import { type Column, table } from './table.ts';
import type { Terminal } from './terminal.ts';
import { writtenText } from './written-text.ts';

/** What is known beside the document; the text says less without. */
export type JobHistory = Pick<JobRecord, 'steps' | 'decisions' | 'rejects'> &
  Partial<Pick<JobRecord, 'startedAt' | 'endedAt' | 'requestedBy' | 'trigger' | 'rolledBackBy'>>;

const number = (value: number) => value.toLocaleString('en-US').replaceAll(',', ' ');

/** The outcome of a job: what `run`, `resume` and `abort` end with. */
export function jobText(terminal: Terminal, job: JobDocument, history?: JobHistory): string {
  const parts = [
    headline(terminal, job, history),
    errorText(terminal, job),
    // Who has just resumed a job has read them.
    isLoaded(job) ? '' : breachTable(terminal, job),
    isLoaded(job) ? '' : diagnosisText(terminal, job.diagnoses),
    configurationText(terminal, job),
    situationText(terminal, job),
    countTable(terminal, job),
    rejectText(terminal, job, history),
    nextText(terminal, job),
  ];
  return parts.filter(Boolean).join('\n\n');
}

/** All that is known of a job: what `lockstep job` prints. */
export function jobDetailText(terminal: Terminal, job: JobDocument, history: JobHistory): string {
  const parts = [
    headline(terminal, job, history),
    originText(job, history),
    stepTable(terminal, history),
    errorText(terminal, job),
    breachTable(terminal, job),
    diagnosisText(terminal, job.diagnoses),
    configurationText(terminal, job),
    situationText(terminal, job),
    countTable(terminal, job),
    rejectText(terminal, job, history),
    decisionText(terminal, history),
    nextText(terminal, job),
  ];
  return parts.filter(Boolean).join('\n\n');
}

/** A state in the colour of its urgency. */
export function stateText({ colors }: Terminal, state: JobState | string): string {
  switch (state) {
    case 'blocked':
      return colors.yellow(state);
    case 'failed':
      return colors.red(state);
    case 'succeeded':
    case 'succeeded-with-rejects':
      return colors.green(state);
    case 'running':
      return colors.cyan(state);
    default:
      return colors.dim(state);
  }
}

function headline(terminal: Terminal, job: JobDocument, history: JobHistory | undefined): string {
  const { colors } = terminal;
  const name = colors.bold(job.job);
  switch (job.state) {
    case 'blocked':
      return `${colors.yellow('■')} ${name} is blocked: it asks before it goes on. Nothing was written.`;
    case 'running':
      return `${colors.cyan('▶')} ${name} is running.`;
    case 'skipped':
      return `${colors.dim('–')} ${name} was skipped: another job has the connector. Nothing was written.`;
    case 'aborted':
      return `${colors.dim('–')} ${name} was aborted. ${writtenText(job)}`;
    case 'failed':
      return `${colors.red('✗')} ${name} failed.${job.provisioning ? ` ${writtenText(job)}` : wasLoaded(history) ? '' : ' Nothing was written.'}`;
    case 'succeeded':
    case 'succeeded-with-rejects':
      return `${colors.green('✓')} ${name} ${successText(job)}`;
  }
}

/** True when it is known, or cannot be excluded, that the load took place. */
function wasLoaded(history: JobHistory | undefined): boolean {
  if (history === undefined) return true;
  return history.steps.some(({ name, state }) => name === 'load' && state === 'succeeded');
}

function isLoaded({ state, simulated }: JobDocument): boolean {
  return state.startsWith('succeeded') && !simulated;
}

function successText(job: JobDocument): string {
  const { state, task, extraction, simulated, counts, breaches, rollbackOf } = job;
  if (task === 'export') return `left the extraction ${extraction}. The store was not looked at.`;
  if (simulated) {
    const asks = breaches.length > 0 ? ' A real run would be blocked.' : ' A real run would pass.';
    const how = task === 'prepare' ? 'prepared' : 'simulated';
    return `was ${how}: it would change ${changeWords(counts)}. Nothing was written.${asks}`;
  }
  const rejects =
    state === 'succeeded' || counts.rejected === 0
      ? ''
      : `, with ${number(counts.rejected)} rejected`;
  const written = job.provisioning;
  if (written && written.notApplied + written.failed > 0) {
    return `ended${rejects}: ${number(written.applied)} written, ${number(written.notApplied)} not applied, ${number(written.failed)} failed.`;
  }
  if (changesNothing(counts)) {
    const nothing =
      rollbackOf === undefined
        ? 'everything was up to date'
        : 'there was nothing left to take back';
    return `succeeded${rejects}: ${nothing}.`;
  }
  return `succeeded${rejects}: ${changeWords(counts)}.`;
}

function changeWords(counts: Counts): string {
  const { linksInserted, linksUpdated, linksDeleted } = counts;
  const resources = words([counts.inserted, counts.updated, counts.deleted]);
  const links = words([linksInserted, linksUpdated, linksDeleted]);
  const both = [resources && `resources ${resources}`, links && `links ${links}`].filter(Boolean);
  return both.length === 0 ? 'nothing' : both.join('; ');
}

function words(values: readonly number[]): string {
  const kinds = ['inserted', 'updated', 'deleted'];
  const told = values.flatMap((value, index) =>
    value > 0 ? [`${number(value)} ${kinds[index]}`] : [],
  );
  return told.join(', ');
}

function errorText({ colors }: Terminal, { error }: JobDocument): string {
  if (error === null) return '';
  return `${colors.red(error.code)}: ${error.message}\n${error.hint}`;
}

const right = 'right' as const;

function breachTable(terminal: Terminal, { breaches }: JobDocument): string {
  if (breaches.length === 0) return '';
  const columns: Column[] = [
    { title: 'Limit' },
    { title: 'Scope' },
    { title: 'Planned', align: right },
    { title: 'Allowed', align: right },
    { title: 'Of stored', align: right },
  ];
  const rows = breaches.map(({ threshold, scope, planned, allowed, base }) => [
    threshold,
    scope,
    terminal.colors.yellow(number(planned)),
    number(allowed),
    number(base),
  ]);
  const title = terminal.colors.bold(terminal.colors.yellow('Threshold Exceeded'));
  return `${title}\n${table(terminal, columns, rows)}`;
}

/** What the configuration changes, so that nobody takes its effect for a change of the data. */
function configurationText({ colors }: Terminal, job: JobDocument): string {
  const changes = job.configurationChanges ?? [];
  if (changes.length === 0) return '';
  const signs = { added: '+', removed: '-', changed: '~' } as const;
  const lines = changes.map(({ change, scope, detail }) =>
    `  ${signs[change]} ${scope}  ${detail}`.trimEnd(),
  );
  return [colors.bold('The configuration has changed since the last load'), ...lines].join('\n');
}

const counters = [
  ['Read', 'read'],
  ['Rejected', 'rejected'],
  ['Unchanged', 'unchanged'],
  ['Inserted', 'inserted'],
  ['Updated', 'updated'],
  ['Deleted', 'deleted'],
  ['Links +', 'linksInserted'],
  ['Links ~', 'linksUpdated'],
  ['Links -', 'linksDeleted'],
] as const satisfies readonly (readonly [string, keyof Counts])[];

function countTable(terminal: Terminal, job: JobDocument): string {
  const scopes = [...Object.entries(job.entityTypes), ...Object.entries(job.associations)];
  if (scopes.length === 0) return '';
  const columns = [{ title: '' }, ...counters.map(([title]) => ({ title, align: right }))];
  const cells = (counts: Counts) =>
    counters.map(([, name]) =>
      counts[name] === 0 ? terminal.colors.dim('·') : number(counts[name]),
    );
  const rows = scopes.map(([scope, counts]) => [scope, ...cells(counts)]);
  if (scopes.length > 1) rows.push(['total', ...cells(job.counts)]);
  const title = countTitle(job);
  return `${terminal.colors.bold(title)}\n${table(terminal, columns, rows)}`;
}

function countTitle(job: JobDocument): string {
  if (isLoaded(job)) return 'What it changed';
  const isOver = job.state === 'aborted' || job.state === 'failed';
  return isOver ? 'What it would have changed' : 'What it would change';
}

/** What a reconciliation found, and what only a person can decide. */
function situationText({ colors }: Terminal, { mapping, situations = {} }: JobDocument): string {
  const counted = Object.entries(situations);
  if (mapping === undefined || counted.length === 0) return '';
  const told = counted.map(([situation, count]) => `${number(count)} ${situation}`).join(', ');
  const waiting = counted.some(([each]) => each === 'unconfirmed' || each === 'ambiguous');
  const next = waiting ? `. See ${colors.cyan(`lockstep matches ${mapping}`)}` : '';
  return `${colors.bold('Situations')}: ${told}${next}`;
}

function rejectText(terminal: Terminal, job: JobDocument, history: JobHistory | undefined): string {
  const byCode = Object.entries(history?.rejects ?? {});
  const total = byCode.reduce((sum, [, count]) => sum + count, 0) || job.counts.rejected;
  if (total === 0) return '';
  const codes = byCode.map(([code, count]) => `${number(count)} ${code}`).join(', ');
  const command = terminal.colors.cyan(`lockstep rejects ${job.job}`);
  const many = total === 1 ? '1 reject' : `${number(total)} rejects`;
  return `${many}${codes && `: ${codes}`}. See ${command}`;
}

function nextText(terminal: Terminal, document: JobDocument): string {
  const { job, connector, task, extraction, state, counts } = document;
  const { colors } = terminal;
  const alone = `lockstep run ${connector} --extraction ${extraction} --task`;
  const commands: [string, string][] = [];
  if (state === 'blocked') {
    commands.push(
      [`lockstep changes ${job}`, 'every change, before and after'],
      [`lockstep resume ${job} --reason "…"`, 'apply exactly these changes'],
      [`lockstep abort ${job} --reason "…"`, 'give them up; nothing is written'],
    );
  } else if (state === 'running') {
    commands.push([`lockstep job ${job}`, 'where it stands']);
  } else if (!changesNothing(counts)) {
    commands.push([`lockstep changes ${job}`, 'every change, before and after']);
  }
  if (task === 'export' && state === 'succeeded')
    commands.push([`${alone} prepare`, 'what would it change?']);
  if (task === 'prepare' && state.startsWith('succeeded'))
    commands.push([`${alone} synchronize`, 'prepare it anew, and load it through the gate']);
  if (state === 'failed') {
    commands.push([`lockstep check ${connector}`, 'what stands in the way of the next run']);
  }
  if (commands.length === 0) return '';
  const width = Math.max(...commands.map(([command]) => command.length));
  const lines = commands.map(
    ([command, meaning]) => `  ${colors.cyan(command.padEnd(width))}  ${meaning}`,
  );
  return [colors.bold('Next'), ...lines].join('\n');
}

function originText(job: JobDocument, history: JobHistory): string {
  const { startedAt, endedAt, requestedBy, trigger } = history;
  const who = trigger === 'schedule' ? 'by its schedule' : `by ${requestedBy ?? 'a person'}`;
  const when = startedAt ? `, started ${localTime(startedAt)} ${who}` : '';
  const took =
    startedAt && endedAt ? `, took ${duration(endedAt.getTime() - startedAt.getTime())}` : '';
  const alone = job.task === 'all' ? '' : `, ${job.task} alone`;
  const on = job.extraction === null ? '' : `\nExtraction ${job.extraction}`;
  const simulated = job.simulated && job.task !== 'prepare' ? ', simulated' : '';
  const what = job.rollbackOf === undefined ? job.mode : `rollback of ${job.rollbackOf}`;
  const rollbacks = (history.rolledBackBy ?? []).map((by) => `\nRolled back by ${by}`).join('');
  if (job.task === 'edit') {
    const edit = job.rollbackOf === undefined ? 'An edit' : `The ${what}`;
    return `${edit}${simulated}${when}${took}${rollbacks}`;
  }
  return `Connector ${job.connector}, ${what}${alone}${simulated}${when}${took}${on}${rollbacks}`;
}

function stepTable(terminal: Terminal, { steps }: JobHistory): string {
  const columns = [
    { title: 'Step' },
    { title: 'State' },
    { title: 'Started' },
    { title: 'Took', align: right },
  ];
  const rows = steps.map(({ name, state, startedAt, endedAt }) => [
    name,
    stateText(terminal, state),
    localTime(startedAt),
    endedAt ? duration(endedAt.getTime() - startedAt.getTime()) : '',
  ]);
  return table(terminal, columns, rows);
}

function decisionText({ colors }: Terminal, { decisions }: JobHistory): string {
  if (decisions.length === 0) return '';
  const lines = decisions.map((said) => {
    const sender = said.principal ?? said.identity;
    const claimed = said.claimedBy ?? 'nobody';
    const who = sender === null || sender === claimed ? claimed : `${claimed} (sent by ${sender})`;
    const reason = said.reason === null ? '' : `: ${said.reason}`;
    const verdict = said.effect === 'noted' ? said.why : `ignored, ${said.why ?? ''}`;
    const fate = said.effect === 'applied' ? '' : colors.yellow(` — ${verdict}`);
    return `  ${localTime(said.at)}  ${said.action} by ${who}${reason}${fate}`;
  });
  return [colors.bold('Decisions'), ...lines].join('\n');
}
