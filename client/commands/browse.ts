/** `lockstep list` and `lockstep show`: the resources in the store. */
import type { Command } from 'commander';
import { resourceColumns, resourceRow, resourceText } from '../output/resource-text.ts';
import { alignedLine, type Column, columnWidths, table } from '../output/table.ts';
import { type CommandContext, examples, type Opened, withLockstep } from './command.ts';
import { gather, limitOf, limitOption } from './option.ts';

/** A terminal shows this many at first; a pipe gets all. */
const shownOnTerminal = 50;
/** Columns are as wide as the first rows need. */
const measuredRows = 200;

interface ListOptions {
  readonly filter: readonly string[];
  readonly limit?: number;
}

export function addList(program: Command, context: CommandContext): void {
  program
    .command('list')
    .summary('the resources of an entity type')
    .description('Lists the resources of an entity type, in the order of their keys.')
    .argument('<entityType>', 'an entity type of lockstep.yaml')
    .option(
      '--filter <condition>',
      'property=value, or property~text for “contains”; several must all hold',
      gather,
      [],
    )
    .addOption(limitOption(shownOnTerminal))
    .addHelpText(
      'after',
      examples(
        ['lockstep list sab_user', 'everybody'],
        ['lockstep list sab_user --filter lastName~dup --filter active=true', 'two conditions'],
        ['lockstep list sab_user --filter groups=admins', 'the members of a group'],
        ['lockstep list sab_user --filter organisation=', 'those without an organisation'],
      ),
    )
    .action(async (entityType: string, options: ListOptions, command: Command) => {
      await withLockstep(context, command, async (opened) => {
        const { lockstep, output } = opened;
        if (output.isJson) return await output.jsonArray(lockstep.list(entityType, options));
        await printList(opened, entityType, options);
      });
    });
}

async function printList(
  { session, lockstep, output }: Opened,
  entityType: string,
  { filter, limit: wanted }: ListOptions,
): Promise<void> {
  const { requireEntityType } = await import('../browse.ts');
  const type = await requireEntityType(session, entityType);
  const limit = limitOf(wanted, output, shownOnTerminal);
  const columns = resourceColumns(type);
  let widths: number[] | undefined;
  let rows: string[][] = [];
  let total = 0;
  const flush = async () => {
    if (widths === undefined) {
      widths = columnWidths(columns, rows);
      await output.text(firstRows(output, columns, rows));
    } else {
      for (const row of rows) await output.text(alignedLine(columns, row, widths));
    }
    rows = [];
  };
  let hasMore = false;
  for await (const resource of lockstep.list(entityType, { filter, limit: limit && limit + 1 })) {
    if (total === limit) {
      hasMore = true;
      break;
    }
    rows.push(resourceRow(type, resource));
    total++;
    if (rows.length === measuredRows) await flush();
  }
  if (total === 0) return await output.text(`No ${type.name}${filter.length ? ' like that' : ''}.`);
  if (rows.length > 0) await flush();
  if (hasMore) await output.text(`\n… and more: --limit, or | less`);
}

/** On a terminal as many columns as fit. */
function firstRows(
  { terminal }: Opened['output'],
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  let fitting = columns.length;
  const widths = columnWidths(columns, rows);
  const width = () => widths.slice(0, fitting).reduce((sum, each) => sum + each + 2, 0);
  while (fitting > 1 && width() > terminal.width) fitting--;
  const text = table(
    terminal,
    columns.slice(0, fitting),
    rows.map((row) => row.slice(0, fitting)),
  );
  const hidden = columns.slice(fitting).map(({ title }) => title);
  if (hidden.length === 0) return text;
  return `${text}\n\n${terminal.colors.dim(`  Not shown for lack of room: ${hidden.join(', ')}`)}`;
}

export function addShow(program: Command, context: CommandContext): void {
  program
    .command('show')
    .summary('one resource, with its links both ways')
    .description(
      'Shows one resource: its attributes, and its links both ways with the command to follow each.',
    )
    .argument('<entityType>', 'an entity type of lockstep.yaml')
    .argument('<key>', 'the key of the resource')
    .addHelpText(
      'after',
      examples(['lockstep show sab_user jdoe', 'who is jdoe, and in which groups?']),
    )
    .action(async (entityType: string, key: string, _: unknown, command: Command) => {
      await withLockstep(context, command, async ({ session, output }) => {
        const { look } = await import('../browse.ts');
        const { resource, type } = await look(session, entityType, key);
        await output.json(resource);
        await output.text(resourceText(output.terminal, type, resource));
      });
    });
}
