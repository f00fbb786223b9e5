/** `lockstep changes` and `lockstep rejects`: what a job changes, and what it could not use. */
import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Reject } from '../../engine/reject.ts';
import { changeGroup, changeLine } from '../output/change-text.ts';
import type { Output } from '../output/output.ts';
import { rejectLine } from '../output/reject-text.ts';
import { type CommandContext, examples, type Opened, withLockstep } from './command.ts';
import { limitOf, limitOption } from './option.ts';

/** A terminal shows this many at first; a pipe gets all. */
const shownOnTerminal = 200;

export function addChanges(program: Command, context: CommandContext): void {
  program
    .command('changes')
    .summary('every change of a job, before and after')
    .description(
      'Lists the changes of a job, before and after: planned while it is blocked, applied once it succeeded.',
    )
    .argument('<job>', 'id of the job, as `lockstep jobs` lists it')
    .option('--entity-type <name>', 'only of this entity type or association')
    .addOption(limitOption(shownOnTerminal))
    .addHelpText(
      'after',
      examples(
        ['lockstep changes <job> | less', 'read them all'],
        ['lockstep changes <job> --entity-type sab_user | grep "^-"', 'who would be deleted?'],
        ['lockstep changes <job> --json > review.json', 'for another tool'],
      ),
    )
    .action(
      async (id: string, options: { entityType?: string; limit?: number }, command: Command) => {
        await withLockstep(context, command, async (opened) => {
          const { lockstep, output } = opened;
          if (output.isJson) return await output.jsonArray(lockstep.changes(id, options));
          await printChanges(opened, id, options);
        });
      },
    );
}

async function printChanges(
  { session, lockstep, output }: Opened,
  id: string,
  options: { entityType?: string; limit?: number },
): Promise<void> {
  const { scopeOwners } = await import('../../store/queries/entity-types.ts');
  const owners = await scopeOwners(await session.store());
  const ownerOf = (association: string) => owners.get(association) ?? association;
  const limit = limitOf(options.limit, output, shownOnTerminal);
  let group = '';
  let shown = 0;
  // One more than is shown tells whether there are more.
  for await (const change of lockstep.changes(id, { ...options, limit: limit && limit + 1 })) {
    if (shown === limit) {
      await output.text(`\n… and more: lockstep changes ${id} | less`);
      return;
    }
    const next = changeGroup(change);
    if (next !== group) await output.text(`${group && '\n'}${output.terminal.colors.bold(next)}`);
    group = next;
    await output.text(changeLine(output.terminal, change, ownerOf));
    shown++;
  }
  if (shown === 0) await output.text('No changes.');
}

interface RejectsOptions {
  readonly limit?: number;
  readonly csv?: boolean;
  readonly to?: string;
}

async function writeRejects(
  path: string,
  rejects: AsyncIterable<Reject>,
  output: Output,
): Promise<void> {
  const [{ rejectsCsv }, { openNew }] = await Promise.all([
    import('../output/rejects-csv.ts'),
    import('../extractions.ts'),
  ]);
  let lines = -1;
  await using file = await openNew(path);
  try {
    for await (const line of rejectsCsv(rejects)) {
      await file.writeFile(`${line}\n`);
      lines += 1;
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  await output.json({ file: path, rejects: lines });
  await output.text(`${path}: ${lines} rejects`);
}

export function addRejects(program: Command, context: CommandContext): void {
  program
    .command('rejects')
    .summary('the source rows a job could not use')
    .description(
      'Lists the source rows (or links of them) that a job could not use, with file, line and reason.',
    )
    .argument('<job>', 'id of the job, as `lockstep jobs` lists it')
    .addOption(limitOption(shownOnTerminal))
    .option('--csv', 'as CSV for a spreadsheet')
    .option('--to <file>', 'as CSV into a new file, for you alone')
    .addHelpText(
      'after',
      examples(
        ['lockstep rejects <job> --to rejects.csv', 'for who mends the source'],
        ['lockstep rejects <job>', 'users.csv:17  ValueInvalid  hire_date="31/02/2021" …'],
        ['lockstep rejects <job> --json | jq length', 'how many?'],
      ),
    )
    .action(async (id: string, given: RejectsOptions, command: Command) => {
      const { csv, to, ...options } = given;
      await withLockstep(context, command, async ({ lockstep, output }) => {
        if (to !== undefined) return await writeRejects(to, lockstep.rejects(id, options), output);
        if (output.isJson) return await output.jsonArray(lockstep.rejects(id, options));
        if (csv) {
          const { rejectsCsv } = await import('../output/rejects-csv.ts');
          for await (const line of rejectsCsv(lockstep.rejects(id, options)))
            await output.text(line);
          return;
        }
        const limit = limitOf(options.limit, output, shownOnTerminal);
        let shown = 0;
        for await (const reject of lockstep.rejects(id, limit ? { limit: limit + 1 } : {})) {
          if (shown === limit)
            return await output.text(`… and more: lockstep rejects ${id} | less`);
          await output.text(rejectLine(output.terminal, reject));
          shown++;
        }
        if (shown === 0) await output.text('No rejects.');
      });
    });
}
