/** Changes as a diff that people and `grep` can read: one change, one line. */
import type { Change, ChangeKind, ResourceChange } from '../../store/queries/changes.ts';
import { printable, type Terminal } from './terminal.ts';

/**
 * One change: `~ sab_user jdoe  lastName: "Doe" → "Dupont"`, or of a link `  sab_user jdoe  groups + admins`.
 *
 * @param ownerOf entity type of the `from` end of an association
 */
export function changeLine(
  terminal: Terminal,
  change: Change,
  ownerOf: (association: string) => string,
): string {
  const { colors } = terminal;
  if ('entityType' in change) {
    const line = `${signs[change.change]} ${change.entityType} ${printable(change.key)}`;
    const detail = resourceDetail(change);
    return (
      paint(terminal, change.change, line) + (detail && `  ${detail}`) + outcome(terminal, change)
    );
  }
  const { association, property, from, previous } = change;
  const to = printable(change.to);
  const owner = `  ${ownerOf(association)} ${printable(from)}  ${property}`;
  if (change.change === 'update') {
    return `${owner} ${printable(previous ?? '∅')} ${colors.yellow('→')} ${to}`;
  }
  return `${owner} ${paint(terminal, change.change, `${signs[change.change]} ${to}`)}`;
}

/** Of a write that did not take: what became of it. */
function outcome({ colors }: Terminal, { status }: ResourceChange): string {
  if (status === undefined || status.state === 'applied') return '';
  const why = [status.code, status.message].filter((part) => part !== null).join(': ');
  return `  ${colors.yellow(status.state)}${why && `  ${printable(why)}`}`;
}

/** The heading under which a change stands. */
export function changeGroup(change: Change): string {
  return 'entityType' in change ? change.entityType : `links ${change.association}`;
}

const signs = { insert: '+', update: '~', delete: '-' } as const;

function paint({ colors }: Terminal, change: ChangeKind, text: string): string {
  if (change === 'insert') return colors.green(text);
  return change === 'delete' ? colors.red(text) : colors.yellow(text);
}

function resourceDetail({ change, before, after }: ResourceChange): string {
  if (change !== 'update') {
    const values = after ?? before ?? {};
    return Object.keys(values)
      .sort()
      .map((name) => `${name}: ${valueText(values[name])}`)
      .join(', ');
  }
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  return names
    .filter((name) => valueText(before?.[name]) !== valueText(after?.[name]))
    .map((name) => `${name}: ${valueText(before?.[name])} → ${valueText(after?.[name])}`)
    .join(', ');
}

/** As JSON, so that blanks and line breaks show; a value that is not there is `∅`. */
function valueText(value: unknown): string {
  return value === undefined || value === null ? '∅' : printable(JSON.stringify(value));
}
