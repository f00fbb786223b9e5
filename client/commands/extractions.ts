/** `lockstep extractions` and `lockstep extraction`: what exports left, to be looked at or taken along. */
import type { Command } from 'commander';
import { type CommandContext, examples, withLockstep } from './command.ts';
import { count } from './option.ts';

export function addExtractions(program: Command, context: CommandContext): void {
  program
    .command('extractions')
    .summary('the extractions that are kept')
    .description(
      'Lists the extractions that are kept, newest first: who made them, how large they are, and when they were loaded last.',
    )
    .argument('[connector]', 'only those of this connector')
    .option('--limit <n>', 'how many at most', count, 50)
    .addHelpText(
      'after',
      examples(
        ['lockstep extractions sab', 'what can be prepared or loaded again?'],
        ['lockstep run sab --task prepare --extraction <id>', 'what would it change today?'],
      ),
    )
    .action(async (connector: string | undefined, options: { limit: number }, command: Command) => {
      await withLockstep(context, command, async ({ lockstep, output }) => {
        const { extractionsText } = await import('../output/extraction-text.ts');
        const found = await lockstep.extractions({ connector, ...options });
        await output.json(found);
        await output.text(extractionsText(output.terminal, found, new Date()));
      });
    });
}

export function addExtraction(program: Command, context: CommandContext): void {
  program
    .command('extraction')
    .summary('download an extraction')
    .description(
      'Copies the files of an extraction and its manifest into a directory, for you alone, and checks them on the way. Works where the workers run. The copies hold identity data.',
    )
    .argument('<id>', 'id of an extraction, or of a job that made or used it')
    .requiredOption('--to <directory>', 'where to; is made, and nothing in it is overwritten')
    .addHelpText(
      'after',
      examples(
        ['lockstep extraction <job> --to ./tuesday', 'what did the job read?'],
        ['lockstep rejects <job> --to ./tuesday/rejects.csv', 'and what could it not use?'],
      ),
    )
    .action(async (id: string, { to }: { to: string }, command: Command) => {
      await withLockstep(context, command, async ({ lockstep, output }) => {
        const downloaded = await lockstep.downloadExtraction(id, to);
        await output.json(downloaded);
        await output.text([downloaded.extraction, ...downloaded.files].join('\n  '));
      });
    });
}
