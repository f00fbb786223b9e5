/** `lockstep explain` and `lockstep history`: why one resource is as it is, and all that was done to it. */
import type { Command } from 'commander';
import { type CommandContext, examples, withLockstep } from './command.ts';
import { limitOf, limitOption } from './option.ts';

/** A terminal shows this many at first; a pipe gets all. */
const shownOnTerminal = 100;
/** A history longer than this is for the changes of its jobs. */
const mostEntries = 100_000;

export function addExplain(program: Command, context: CommandContext): void {
  program
    .command('explain')
    .summary('why a resource is as it is')
    .description(
      'Explains a resource from the raw row to the stored value: file and line, cell, format, which job changed it last and who is behind it, and why its links are there. Also a key that is not stored: rejected, deleted, or not loaded yet. Rows are shown where the extractions of the worker are (LOCKSTEP_HOME).',
    )
    .argument('<entityType>', 'an entity type of lockstep.yaml')
    .argument('<key>', 'the key of the resource')
    .argument('[property]', 'only this property or navigation property')
    .addHelpText(
      'after',
      examples(
        ['lockstep explain sab_user jdoe', 'all of it'],
        ['lockstep explain sab_user jdoe hireDate', 'why is this date what it is?'],
        ['lockstep explain sab_user jdoe groups', 'why is jdoe in these groups?'],
      ),
    )
    .action(
      async (
        entityType: string,
        key: string,
        property: string | undefined,
        _: unknown,
        command: Command,
      ) => {
        await withLockstep(context, command, async ({ session, output }) => {
          const [{ explain }, { explanationText }] = await Promise.all([
            import('../explain.ts'),
            import('../output/explain-text.ts'),
          ]);
          const explanation = await explain(session, entityType, key, property);
          await output.json(explanation);
          await output.text(explanationText(output.terminal, explanation));
        });
      },
    );
}

export function addHistory(program: Command, context: CommandContext): void {
  program
    .command('history')
    .summary('every change of one resource')
    .description(
      'Lists every change of a resource and of its links, newest first, over all jobs whose changes are kept.',
    )
    .argument('<entityType>', 'an entity type of lockstep.yaml')
    .argument('<key>', 'the key of the resource')
    .addOption(limitOption(shownOnTerminal))
    .addHelpText(
      'after',
      examples(['lockstep history sab_user jdoe', 'what was done to jdoe, when and by whom?']),
    )
    .action(
      async (entityType: string, key: string, options: { limit?: number }, command: Command) => {
        await withLockstep(context, command, async ({ session, output }) => {
          const [{ history }, { historyText }, { scopeOwners }] = await Promise.all([
            import('../explain.ts'),
            import('../output/explain-text.ts'),
            import('../../store/queries/entity-types.ts'),
          ]);
          const limit = limitOf(options.limit, output, shownOnTerminal) ?? mostEntries;
          const entries = await history(session, entityType, key, limit);
          await output.json(entries);
          const owners = await scopeOwners(await session.store());
          const ownerOf = (association: string) => owners.get(association) ?? association;
          await output.text(historyText(output.terminal, entries, ownerOf));
          if (entries.length === limit) await output.text('\n… and maybe more: --limit');
        });
      },
    );
}
