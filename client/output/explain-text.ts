/** An explanation and a history for people: from the cell to the value, and who changed it when. */

import type { LinkOrigin } from '../../store/queries/link-origins.ts';
import type { ChangeOrigin, HistoryEntry } from '../../store/queries/resource-history.ts';
import type { Explanation } from '../explain.ts';
import type { ExplainedProperty } from '../explained-property.ts';
import { changeLine } from './change-text.ts';
import { localTime } from './duration.ts';
import { rejectLine } from './reject-text.ts';
import { shellWord } from './resource-text.ts';
import { printable, type Terminal } from './terminal.ts';

/** All that is told of one resource. */
export function explanationText(terminal: Terminal, explanation: Explanation): string {
  const { colors } = terminal;
  const { entityType, key, state, notes, lastChange } = explanation;
  const changed = lastChange
    ? `last changed (${lastChange.change}) ${originText(lastChange)}`
    : 'no kept change';
  const parts = [
    `${colors.dim(entityType)} ${colors.bold(printable(key))}  ${stateText(terminal, state)}, ${changed}`,
    notes.map((note) => `${colors.yellow('!')} ${printable(note)}`).join('\n'),
    sourceText(terminal, explanation),
    ...explanation.properties.map((property) => propertyText(terminal, property)),
    linksText(terminal, explanation),
    pendingText(terminal, explanation),
    rejectsText(terminal, explanation),
    `${colors.bold('Next')}\n  ${colors.cyan(`lockstep history ${entityType} ${shellWord(key)}`)}  every change of it`,
  ];
  return parts.filter(Boolean).join('\n\n');
}

/** Every change, newest first, under the job that made it. */
export function historyText(
  terminal: Terminal,
  entries: readonly HistoryEntry[],
  ownerOf: (association: string) => string,
): string {
  if (entries.length === 0) return 'No kept changes.';
  const lines: string[] = [];
  let job = '';
  for (const entry of entries) {
    if (entry.job !== job) {
      lines.push(`${job && '\n'}${terminal.colors.bold(originText(entry))}`);
      job = entry.job;
    }
    const line = entry.line === null ? '' : terminal.colors.dim(`  (line ${entry.line})`);
    lines.push(`${changeLine(terminal, entry.change, ownerOf)}${line}`);
  }
  return lines.join('\n');
}

/** `2026-11-22 08:30:05 by sab.complete… (its schedule; resumed by jane: reviewed)`. */
export function originText({ job, at, ...who }: ChangeOrigin): string {
  const when = at === null ? 'planned' : localTime(new Date(at));
  const started = who.trigger === 'schedule' ? 'its schedule' : (who.requestedBy ?? 'a person');
  const reason = who.reason === null ? '' : `: ${who.reason}`;
  const resumed = who.decidedBy === null ? '' : `; resumed by ${who.decidedBy}${reason}`;
  return printable(`${when} by ${job} (${started}${resumed})`);
}

function stateText({ colors }: Terminal, state: Explanation['state']): string {
  return state === 'stored' ? colors.green(state) : colors.yellow(state);
}

function sourceText({ colors }: Terminal, { source }: Explanation): string {
  if (source === null) return '';
  const { places, extraction, job, at, missing } = source;
  const lines = places.map(({ file, line }) => `${file}:${line}`);
  const place = lines.length === 0 ? source.source : lines.join(', ');
  const read = `of extraction ${extraction}, loaded ${localTime(new Date(at))} by ${job}`;
  const why = missing === null ? '' : `\n  ${colors.yellow(`no row to show: ${missing}`)}`;
  return `${colors.bold(place)} ${read}${why}`;
}

function propertyText(terminal: Terminal, property: ExplainedProperty): string {
  const { colors } = terminal;
  const { lastChange, newer } = property;
  const lines = [
    `  ${colors.bold(property.property)}  ${valueText(property.stored)}${verdict(terminal, property)}`,
    `    ${readText(property)}`,
    newer ? `    newer, not loaded: ${valueText(newer.raw)} → ${valueText(newer.converted)}` : '',
    lastChange
      ? `    ${valueText(lastChange.before)} → ${valueText(lastChange.after)}  ${colors.dim(originText(lastChange))}`
      : `    ${colors.dim('no kept change made it')}`,
  ];
  return lines.filter(Boolean).join('\n');
}

function verdict({ colors }: Terminal, { isAsRead, why, raw }: ExplainedProperty): string {
  const reason = why === null ? '' : `: ${printable(why)}`;
  if (isAsRead === false) return colors.red(`  ✗ not as read${reason}`);
  if (isAsRead === true) return colors.green('  ✓ as read');
  return why === null || raw === null
    ? colors.dim(reason.replace(/^: /, '  '))
    : colors.red(`  ✗${reason}`);
}

function readText(property: ExplainedProperty): string {
  const { column, raw, expression, inputs, converted, format } = property;
  if (expression !== null) {
    const values = Object.entries(inputs ?? {}).map(
      ([name, value]) => `${name} ${valueText(value)}`,
    );
    return `expression ${expression}${values.length > 0 ? `  with ${values.join(', ')}` : ''}`;
  }
  if (column === null) return format;
  if (raw === null) return `column ${column}, ${format}`;
  return `column ${column} ${valueText(raw)}, ${format} → ${valueText(converted)}`;
}

function linksText(terminal: Terminal, { links }: Explanation): string {
  if (links.length === 0) return '';
  const { colors } = terminal;
  const lines = links.map((link) => {
    const line = link.line === null ? '' : ` from line ${link.line}`;
    const who = link.origin ? originText(link.origin) : 'made by somebody other than Lockstep';
    return `  ${link.property} ${printable(link.key)}${line}  ${colors.dim(`${associationOf(link)}${who}`)}`;
  });
  return [colors.bold('Links'), ...lines].join('\n');
}

/** A reference is told by its property already. */
function associationOf({ association, property }: LinkOrigin): string {
  return association.endsWith(`.${property}`) || association === property ? '' : `${association}, `;
}

function pendingText({ colors }: Terminal, { pendingLinks }: Explanation): string {
  if (pendingLinks.length === 0) return '';
  const lines = pendingLinks.map(
    ({ property, entityType, key }) =>
      `  ${property} ${printable(key)}  waits for a ${entityType} of that key, or for its own resource`,
  );
  return [colors.bold('Pending links'), ...lines].join('\n');
}

function rejectsText(terminal: Terminal, { rejects, entityType, key }: Explanation): string {
  if (rejects.length === 0) return '';
  const lines = rejects.map(({ job, at, ...reject }) => {
    const line = rejectLine(terminal, { ...reject, entityType, key });
    return `  ${line}  ${terminal.colors.dim(`${localTime(new Date(at))} by ${job}`)}`;
  });
  return [terminal.colors.bold('Rejects'), ...lines].join('\n');
}

/** As JSON, so that blanks show; `∅` where there is no value. */
function valueText(value: unknown): string {
  return value === undefined || value === null ? '∅' : printable(JSON.stringify(value));
}
