/** `lockstep test`: whether a connected system can be read. */
import type { Command } from 'commander';
import { exitCodes } from '../exit-code.ts';
import { type CommandContext, examples, withLockstep } from './command.ts';

export function addTest(program: Command, context: CommandContext): void {
  program
    .command('test')
    .summary('whether a connected system can be read')
    .description(
      'Has the worker read a little of the connected system with the credentials of its connector, and tells what it found there, or whose fault it is. Nothing is written. Exit code 1 when it cannot be read.',
    )
    .argument('<connector>', 'name of the connector')
    .addHelpText(
      'after',
      examples(
        ['lockstep test crm', 'after an edit of its settings'],
        ['lockstep test crm --json', 'for another tool'],
      ),
    )
    .action(async (connector: string, _: unknown, command: Command) => {
      await withLockstep(context, command, async ({ session, output }) => {
        const [{ testConnector }, { connectorTestText }] = await Promise.all([
          import('../test-connector.ts'),
          import('../output/connector-test-text.ts'),
        ]);
        const test = await testConnector(session, connector);
        await output.json(test);
        await output.text(connectorTestText(output.terminal, test));
        if (!test.ok) context.exitCode = exitCodes.failed;
      });
    });
}
