/** `lockstep init`: a configuration to begin with. */
import type { Command } from 'commander';
import { createFromTemplate, listTemplates } from '../template.ts';
import { type CommandContext, examples, outputOf } from './command.ts';

export function addInit(program: Command, context: CommandContext): void {
  program
    .command('init')
    .summary('a configuration to begin with')
    .description(
      'Writes the configuration, sample data and README of a template into a directory; nothing that is there is overwritten. Without a template: lists them.',
    )
    .argument('[template]', 'as in the list')
    .argument('[directory]', 'where to write (default: its name, here)')
    .addHelpText(
      'after',
      examples(
        ['lockstep init', 'which templates there are'],
        ['lockstep init saas-import', 'into ./saas-import'],
      ),
    )
    .action(
      async (
        template: string | undefined,
        directory: string | undefined,
        _: unknown,
        command: Command,
      ) => {
        const output = outputOf(context, command);
        if (template === undefined) {
          const templates = await listTemplates();
          await output.json(templates);
          const width = Math.max(...templates.map(({ name }) => name.length));
          const lines = templates.map(({ name, title }) => `${name.padEnd(width)}   ${title}`);
          await output.text(lines.join('\n'));
          return;
        }
        const made = await createFromTemplate(template, directory ?? template);
        await output.json(made);
        await output.text(
          `Wrote ${made.files.length} files to ${made.directory}. Its README.md tells what each setting does:\n\n${made.readme}`,
        );
      },
    );
}
