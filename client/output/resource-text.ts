/** Resources for people: one with its links and the commands that follow them, or many as a table. */
import type { StoredEntityType } from '../../store/queries/entity-types.ts';
import type { ResourceDocument } from '../../store/queries/resources.ts';
import type { Column } from './table.ts';
import { printable, type Terminal } from './terminal.ts';

/** A resource shows this many links of a property on a terminal; a pipe gets all of them. */
const linksShown = 20;

/** One resource: its attributes, and each link with the command to follow it. */
export function resourceText(
  terminal: Terminal,
  type: StoredEntityType,
  resource: ResourceDocument,
): string {
  const { colors } = terminal;
  const attributes = Object.entries(resource.attributes);
  const width = Math.max(0, ...attributes.map(([name]) => name.length));
  const lines = attributes.map(
    ([name, value]) => `  ${colors.dim(name.padEnd(width))}  ${cellText(value)}`,
  );
  const links = type.navigations.flatMap((end) => {
    const keys = [resource.links[end.name] ?? []].flat() as string[];
    return keys.length === 0 ? [] : linkLines(terminal, end, keys);
  });
  return [
    `${colors.dim(type.name)} ${colors.bold(printable(resource.key))}`,
    lines.join('\n'),
    links.length === 0 ? colors.dim('  no links') : links.join('\n'),
  ].join('\n\n');
}

function linkLines(
  { colors, isInteractive }: Terminal,
  { name, entityType, singleValued }: StoredEntityType['navigations'][number],
  keys: readonly string[],
): string[] {
  const shown = (isInteractive ? keys.slice(0, linksShown) : keys).map(printable);
  const width = Math.max(...shown.map((key) => key.length));
  const title = singleValued ? name : `${name} (${keys.length})`;
  const lines = shown.map(
    (key) =>
      `    ${key.padEnd(width)}  ${colors.cyan(`lockstep show ${entityType} ${shellWord(key)}`)}`,
  );
  if (shown.length < keys.length) lines.push(`    … and ${keys.length - shown.length} more`);
  return [`  ${colors.bold(title)}`, ...lines];
}

/** The columns of a list: the key, the other scalars, references by key, and how many links of the others. */
export function resourceColumns(type: StoredEntityType): Column[] {
  const scalars = type.properties.filter((name) => name !== type.key);
  return [
    ...[type.key, ...scalars].map((title) => ({ title })),
    ...type.navigations.map(({ name, singleValued }) =>
      singleValued ? { title: name } : { title: name, align: 'right' as const },
    ),
  ];
}

export function resourceRow(
  type: StoredEntityType,
  { key, attributes, links }: ResourceDocument,
): string[] {
  const scalars = type.properties.filter((name) => name !== type.key);
  return [
    printable(key),
    ...scalars.map((name) => cellText(attributes[name])),
    ...type.navigations.map(({ name }) => {
      const keys = links[name] ?? '';
      return typeof keys === 'string' ? printable(keys) : String(keys.length);
    }),
  ];
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return printable(text.replaceAll(/[\r\n\t]+/g, ' '));
}

/** A key as one word of a shell command. */
export function shellWord(key: string): string {
  return /^[\w@%+=:,./-]+$/.test(key) ? key : `'${key.replaceAll("'", "'\\''")}'`;
}
