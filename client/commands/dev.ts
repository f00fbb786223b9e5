/** `lockstep dev`: everything on this machine, until Ctrl-C. */
import type { Command } from 'commander';
import type { DevStack } from '../dev-stack.ts';
import type { Output } from '../output/output.ts';
import { type CommandContext, examples, type GlobalOptions, outputOf } from './command.ts';

export function addDev(program: Command, context: CommandContext): void {
  program
    .command('dev')
    .summary('everything on this machine, until Ctrl-C')
    .description(
      'Starts what DATABASE_URL and TEMPORAL_ADDRESS do not give: PostgreSQL, Temporal with its pages; migrates, makes the schedules, and keeps a worker running. State is kept in LOCKSTEP_HOME (default .lockstep).',
    )
    .addHelpText(
      'after',
      examples(
        ['lockstep dev', 'then, in another terminal: lockstep run sab'],
        ['LOCKSTEP_HOME=.try lockstep dev', 'a stack of its own, beside another'],
      ),
    )
    .action(async (_: unknown, command: Command) => {
      const output = outputOf(context, command);
      const [{ startDevStack }, { readSettings }] = await Promise.all([
        import('../dev-stack.ts'),
        import('../../config/settings.ts'),
      ]);
      const { home } = readSettings(context.environment);
      // Told to stop while starting, we stop as soon as there is something to stop.
      const told = untilTold();
      const stack = await startDevStack({
        env: context.environment,
        home,
        configurationFile: command.optsWithGlobals<GlobalOptions>().config,
        log: (text) => output.note(text),
      });
      await announce(output, stack);
      const signal = await told;
      output.note(`${signal}: stopping. Data stays in ${home}.`);
      await stack.stop();
    });
}

async function announce(output: Output, { state, schedules }: DevStack): Promise<void> {
  const { colors } = output.terminal;
  await output.json(state);
  const pages =
    state.temporalUi === undefined
      ? ''
      : `\n  ${colors.dim('Pages')}      ${colors.cyan(state.temporalUi)}`;
  const count = schedules.created.length + schedules.updated.length + schedules.unchanged.length;
  await output.text(
    [
      `${colors.green('✓')} ${colors.bold('Lockstep is ready.')}${pages}`,
      `  ${colors.dim('Schedules')}  ${count}; see lockstep schedules`,
      '',
      'Next, in another terminal:',
      `  ${colors.cyan('npx lockstep check')}             is everything there?`,
      `  ${colors.cyan('npx lockstep run <connector>')}   one job`,
      `  ${colors.cyan('npx lockstep jobs')}              what happened`,
      '',
      'Ctrl-C stops all that was started.',
    ].join('\n'),
  );
}

function untilTold(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    // Later ones are taken and ignored: what is stopping must be let finish.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve);
  });
}
