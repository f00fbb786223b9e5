/** What the commands have in common: their streams, the global options, and one session that is closed at the end. */
import type { Command } from 'commander';
import type { Lockstep } from '../lockstep.ts';
import { Output, type Streams } from '../output/output.ts';
import type { Session } from '../session.ts';

/** The process around a command. */
export interface CommandContext extends Streams {
  readonly environment: NodeJS.ProcessEnv;
  /** The exit code, once the command has ended. */
  exitCode: number;
}

/** What an action gets. */
export interface Opened {
  readonly session: Session;
  readonly lockstep: Lockstep;
  readonly output: Output;
  readonly context: CommandContext;
}

export interface GlobalOptions {
  readonly json?: boolean;
  readonly config?: string;
}

/** The output as the global options want it. */
export function outputOf(context: CommandContext, command: Command): Output {
  const { json = false } = command.optsWithGlobals<GlobalOptions>();
  return new Output(context, context.environment, json);
}

/**
 * Runs an action with Lockstep open. What Lockstep needs is loaded only now, so that `--help` answers at once.
 */
export async function withLockstep(
  context: CommandContext,
  command: Command,
  action: (opened: Opened) => Promise<void>,
  note?: (text: string) => void,
): Promise<void> {
  const [{ Session }, { lockstepOf }] = await Promise.all([
    import('../session.ts'),
    import('../lockstep.ts'),
  ]);
  const output = outputOf(context, command);
  const session = new Session({
    environment: context.environment,
    configurationFile: command.optsWithGlobals<GlobalOptions>().config,
    note: note ?? ((text) => output.note(text)),
  });
  try {
    await action({ session, lockstep: lockstepOf(session), output, context });
  } finally {
    await session.close();
  }
}

/** Examples below the help of a command: what to type, and what it does. */
export function examples(
  ...lines: readonly (readonly [command: string, meaning: string])[]
): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return ['', 'Examples:', ...lines.map(([what, why]) => `  ${what.padEnd(width)}   ${why}`)].join(
    '\n',
  );
}
