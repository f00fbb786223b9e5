/** `lockstep set`, `delete`, `link` and `unlink`: edits of what is managed by us. */
import type { Command } from 'commander';
import type { JobDocument } from '../../engine/job.ts';
import type { EditOptions } from '../edit.ts';
import { type CommandContext, examples, type Opened } from './command.ts';
import { untilJob } from './waiting.ts';

interface Options {
  readonly reason?: string;
  readonly wait: boolean;
}

type Act = (opened: Opened, options: EditOptions) => Promise<JobDocument>;

export function addSet(program: Command, context: CommandContext): void {
  const command = program
    .command('set')
    .summary('set values of a managed resource, or create it')
    .description(
      'Sets properties of a resource that is managed here, and creates it when there is none of this key. Without a value, property=, the property has none from now on.',
    )
    .argument('<entityType>', 'a managed entity type of lockstep.yaml')
    .argument('<key>', 'the key of the resource')
    .argument('[property=value...]', 'what to set; of a reference, the key of its target')
    .addHelpText(
      'after',
      examples(
        ['lockstep set user jdoe mail=jdoe@example.com active=true', 'set two, or create jdoe'],
        ['lockstep set user jdoe displayName="Jo Doe" department=RD', 'a text, and a reference'],
        ['lockstep set user jdoe phone= --reason "left"', 'clear one, and say why'],
      ),
    );
  asEdit(command, context, async ({ session, lockstep }, options, [entityType, key, texts]) => {
    const [{ requireManagedType }, { readEditedValues }, { managedEnds }] = await Promise.all([
      import('../edit.ts'),
      import('../edited-values.ts'),
      import('../../engine/edit.ts'),
    ]);
    const type = await requireManagedType(session, entityType as string);
    const ends = managedEnds(await session.configuration(), type.name);
    const values = readEditedValues(type, texts as readonly string[], [...ends.keys()]);
    return await lockstep.set(type.name, key as string, values, options);
  });
}

export function addDelete(program: Command, context: CommandContext): void {
  const command = program
    .command('delete')
    .summary('delete a managed resource with its links')
    .description('Deletes a resource that is managed here, with its links.')
    .argument('<entityType>', 'a managed entity type of lockstep.yaml')
    .argument('<key>', 'the key of the resource')
    .addHelpText('after', examples(['lockstep delete user jdoe --reason "left"', 'and say why']));
  asEdit(command, context, async ({ lockstep }, options, [entityType, key]) =>
    lockstep.delete(entityType as string, key as string, options),
  );
}

const linkTexts = {
  link: {
    summary: 'link two managed resources',
    description:
      'Links two resources that are managed here, named from either end. A reference holds one link: the one that was there goes.',
    example: ['lockstep link user jdoe roles admin', 'the same as: link role admin members jdoe'],
  },
  unlink: {
    summary: 'take a link between managed resources away',
    description: 'Takes a link between two resources that are managed here away.',
    example: ['lockstep unlink user jdoe roles admin', 'jdoe is no admin any more'],
  },
} as const;

export function addLink(
  action: 'link' | 'unlink',
  program: Command,
  context: CommandContext,
): void {
  const { summary, description, example } = linkTexts[action];
  const command = program
    .command(action)
    .summary(summary)
    .description(description)
    .argument('<entityType>', 'a managed entity type of lockstep.yaml')
    .argument('<key>', 'the key of the resource')
    .argument('<property>', 'its navigation property, as `lockstep show` names it')
    .argument('<otherKey>', 'the key of the resource at the other end')
    .addHelpText('after', examples(example));
  asEdit(command, context, async ({ lockstep }, options, [entityType, key, property, other]) =>
    lockstep[action](
      entityType as string,
      key as string,
      property as string,
      other as string,
      options,
    ),
  );
}

/** Gives a command the options of an edit, and prints what it changed. */
function asEdit(
  command: Command,
  context: CommandContext,
  edit: (
    opened: Opened,
    options: EditOptions,
    args: readonly (string | readonly string[])[],
  ) => Promise<JobDocument>,
): void {
  command
    .option('--reason <text>', 'why; kept in the audit log')
    .option('--no-wait', 'do not wait until it is done')
    .action(async () => {
      const { reason, wait } = command.opts<Options>();
      const act: Act = (opened, waiting) =>
        edit(opened, { reason, wait, ...waiting }, command.processedArgs);
      await untilJob(context, command, act, printEdit);
    });
}

async function printEdit(opened: Opened, job: JobDocument): Promise<boolean> {
  const { session, output } = opened;
  if (output.isJson || !job.state.startsWith('succeeded')) return false;
  const { editText } = await import('../output/edit-text.ts');
  const changes = [];
  for await (const change of opened.lockstep.changes(job.job, { limit: 20 })) changes.push(change);
  const { scopeOwners } = await import('../../store/queries/entity-types.ts');
  const owners = await scopeOwners(await session.store());
  await output.text(editText(output.terminal, job, changes, owners));
  const created = changes.find((each) => 'entityType' in each && each.change === 'insert');
  if (created && 'entityType' in created) {
    const { similarKey } = await import('../edit.ts');
    const near = await similarKey(session, created.entityType, created.key);
    if (near !== undefined) {
      output.note(`There was none of this key. Was “${near}” meant? Then: lockstep delete`);
    }
  }
  return true;
}
