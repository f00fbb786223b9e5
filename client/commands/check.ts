/** `lockstep check`: what is missing before a run. */
import type { Command } from 'commander';
import { exitCodes } from '../exit-code.ts';
import { type CommandContext, examples, withLockstep } from './command.ts';

export function addCheck(program: Command, context: CommandContext): void {
  program
    .command('check')
    .summary('what is missing before a run')
    .description(
      'Looks at the configuration, PostgreSQL, Temporal and the worker; then has the worker look at the sources, and then at every row of them; names what is missing. Each comes only after what is before it is in order. Exit code 2 for the configuration, 1 for the rest.',
    )
    .argument('[connector]', 'look at the sources of this one only')
    .option('--keys', 'name the identities that a correlation rule cannot tell apart')
    .addHelpText(
      'after',
      examples(
        ['lockstep check', 'before the first run, and after every edit'],
        ['lockstep check sab --json', 'one connector, for another tool'],
      ),
    )
    .action(
      async (connector: string | undefined, options: { keys?: boolean }, command: Command) => {
        await withLockstep(context, command, async ({ session, output }) => {
          const [{ check }, { checkText }] = await Promise.all([
            import('../check.ts'),
            import('../output/list-text.ts'),
          ]);
          const report = await check(session, { connector, ...options });
          await output.json(report);
          await output.text(checkText(output.terminal, report));
          const isMisconfigured = report.findings.some(
            ({ ok, area }) => !ok && area === 'configuration',
          );
          if (!report.ok) context.exitCode = isMisconfigured ? exitCodes.usage : exitCodes.failed;
        });
      },
    );
}
