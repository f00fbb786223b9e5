/** The stage of a demonstration: a real stack, on which commands are typed as a person would, and told about. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from './command-line.ts';
import { type DevStack, startDevStack } from './dev-stack.ts';
import { processEnvironment } from './environment.ts';
import { type Lockstep, lockstepOf } from './lockstep.ts';
import { terminalOf } from './output/terminal.ts';
import { Session } from './session.ts';

const { colors } = terminalOf(process.stdout, processEnvironment);

/** What a demonstration has in its hands. */
export interface Stage {
  readonly stack: DevStack;
  readonly session: Session;
  readonly lockstep: Lockstep;
  readonly environment: NodeJS.ProcessEnv;
  /** Holds lockstep.yaml, and what it names; goes at the end. */
  readonly home: string;
}

/** Tells something. */
export function say(text: string): void {
  process.stdout.write(`\n${colors.cyan(text)}\n`);
}

export function chapter(title: string): void {
  process.stdout.write(
    `\n${colors.bold(`── ${title} ${'─'.repeat(Math.max(0, 74 - title.length))}`)}\n`,
  );
}

/** Shows a line that somebody else would type. */
export function show(line: string): void {
  process.stdout.write(`\n${colors.green('$')} ${colors.bold(line)}\n`);
}

/** Runs a command as a person would, and shows it. @throws Error when it does not end as the story says. */
export async function type(
  { environment }: Stage,
  expected: number,
  ...args: string[]
): Promise<void> {
  const shown = args.map((arg) => (/[\s"]/.test(arg) ? `"${arg}"` : arg)).join(' ');
  show(`lockstep ${shown}`);
  const { stdout, stderr } = process;
  const code = await runCommandLine(args, { stdout, stderr, environment });
  if (code !== expected) throw new Error(`lockstep ${shown} ended with ${code}, not ${expected}`);
}

/** The id of the job that began last. */
export async function newestJob({ lockstep }: Stage): Promise<string> {
  const [newest] = await lockstep.jobs({ limit: 1 });
  if (!newest) throw new Error('there is no job');
  return newest.job;
}

/**
 * Starts a stack of its own in a directory of its own, plays, and takes everything down.
 *
 * @param configuration path of the example's lockstep.yaml
 * @param adapt what to change in it, and the environment that it needs
 */
export async function play(
  configuration: string,
  adapt: { readonly change?: (yaml: string) => string; readonly env?: NodeJS.ProcessEnv },
  story: (stage: Stage) => Promise<void>,
): Promise<void> {
  const started = Date.now();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => process.exit(130));
  const home = await mkdtemp(join(tmpdir(), 'lockstep-demo-'));
  const configurationFile = join(home, 'lockstep.yaml');
  const yaml = await readFile(configuration, 'utf8');
  await writeFile(configurationFile, adapt.change?.(yaml) ?? yaml);
  process.stdout.write(`${colors.bold('Lockstep')}: identity data in step, and nobody wiped.\n\n`);
  const stack = await startDevStack({
    env: { ...processEnvironment, ...adapt.env, LOCKSTEP_CONFIG: configurationFile },
    home,
    log: (text) => process.stdout.write(`${colors.dim(text)}\n`),
  });
  const { environment } = stack;
  const session = new Session({ environment, configurationFile });
  const lockstep = lockstepOf(session);
  try {
    await story({ stack, session, lockstep, environment, home });
  } finally {
    await lockstep.close();
    await stack.stop();
    await rm(home, { recursive: true, force: true });
  }
  const seconds = Math.round((Date.now() - started) / 1000);
  process.stdout.write(`${colors.dim(`The demo took ${seconds} s.`)}\n`);
}
