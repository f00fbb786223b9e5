#!/usr/bin/env node
/** `npm run demo`: a real application's files, day after day, through the real stack; told on the terminal, ends by itself. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from './command-line.ts';
import { type DevStack, startDevStack } from './dev-stack.ts';
import { processEnvironment } from './environment.ts';
import { viewRecord } from './job-view.ts';
import { type Lockstep, lockstepOf } from './lockstep.ts';
import { terminalOf } from './output/terminal.ts';
import { Session } from './session.ts';

const example = fileURLToPath(new URL('../examples/sab/', import.meta.url));
const { colors } = terminalOf(process.stdout, processEnvironment);

/** What the demo has in its hands. */
interface Scene {
  readonly stack: DevStack;
  readonly session: Session;
  readonly lockstep: Lockstep;
  readonly environment: NodeJS.ProcessEnv;
  /** Puts the files of a day where the connector reads them. */
  day(name: string): Promise<void>;
}

function say(text: string): void {
  process.stdout.write(`\n${colors.cyan(text)}\n`);
}

function chapter(title: string): void {
  process.stdout.write(
    `\n${colors.bold(`── ${title} ${'─'.repeat(Math.max(0, 74 - title.length))}`)}\n`,
  );
}

/** Runs a command as a person would, and shows it. @throws Error when it does not end as the story says. */
async function type({ environment }: Scene, expected: number, ...args: string[]): Promise<void> {
  const shown = args.map((arg) => (/[\s"]/.test(arg) ? `"${arg}"` : arg)).join(' ');
  process.stdout.write(`\n${colors.green('$')} ${colors.bold(`lockstep ${shown}`)}\n`);
  const { stdout, stderr } = process;
  const code = await runCommandLine(args, { stdout, stderr, environment });
  if (code !== expected) throw new Error(`lockstep ${shown} ended with ${code}, not ${expected}`);
}

async function firstRun(scene: Scene): Promise<void> {
  chapter('1. The first run asks');
  say(
    'SAB writes four files: organisations, users with managers, groups, memberships.\nThe store is empty, so everything is new, and a first load always asks a person.',
  );
  await scene.day('day-1');
  await type(scene, 3, 'run', 'sab');
  const job = await newestJob(scene);
  say('Nothing is in the store yet. What would be written can be looked at, row by row:');
  await type(scene, 0, 'changes', job, '--entity-type', 'sab_user', '--limit', '4');
  say('And what cannot be used, with its line and the reason:');
  await type(scene, 0, 'rejects', job);
  chapter('2. A worker dies, the job does not');
  const { worker } = scene.stack;
  const pid = worker.pid as number;
  await worker.kill('SIGKILL');
  say(
    `kill -9 ${pid}: the worker is gone. The job waits in Temporal, not in the worker; another worker comes up.`,
  );
  await worker.untilReplaced(pid);
  await type(scene, 0, 'resume', job, '--reason', 'first load, reviewed');
}

async function secondDay(scene: Scene): Promise<void> {
  chapter('3. The second day passes by itself');
  say(
    'Some joined, two left, a department that was missing has arrived. All within the limits, so nobody is asked.\nThe worker is killed in the middle of this one, too: another goes on where it can.',
  );
  await scene.day('day-2');
  const pid = scene.stack.worker.pid as number;
  const before = await newestJob(scene);
  const run = type(scene, 0, 'run', 'sab');
  await stepBegan(scene, before, 'prepare');
  await scene.stack.worker.kill('SIGKILL');
  await Promise.all([run, scene.stack.worker.untilReplaced(pid)]);
  await type(scene, 0, 'changes', await newestJob(scene), '--limit', '12');
  say('The same files once more: nothing changed, so nothing is touched.');
  await type(scene, 0, 'run', 'sab');
}

async function badDays(scene: Scene): Promise<void> {
  chapter('4. Bad days are stopped');
  say('A blank users.csv. An import that believed it would delete everybody.');
  await scene.day('bad-days/blank-file');
  await type(scene, 1, 'run', 'sab');
  say('Somebody swapped two headings: every name would be wrong.');
  await scene.day('bad-days/swapped-headers');
  await type(scene, 3, 'run', 'sab');
  await type(
    scene,
    4,
    'abort',
    await newestJob(scene),
    '--reason',
    'headings swapped, asked for a new file',
  );
}

async function browse(scene: Scene): Promise<void> {
  chapter('5. From a user to a group to a user');
  await type(scene, 0, 'show', 'sab_user', 'schevalier');
  const user = await scene.lockstep.show('sab_user', 'schevalier');
  const [group = 'TOUS'] = [user.links['groups'] ?? []].flat();
  await type(scene, 0, 'show', 'sab_group', group);
  const members = [(await scene.lockstep.show('sab_group', group)).links['members'] ?? []].flat();
  const other = members.find((member) => member !== 'schevalier') ?? 'schevalier';
  await type(scene, 0, 'show', 'sab_user', other);
  await type(scene, 0, 'jobs');
}

async function newestJob({ lockstep }: Scene): Promise<string> {
  const [newest] = await lockstep.jobs({ limit: 1 });
  if (!newest) throw new Error('there is no job');
  return newest.job;
}

/** Resolves when a job other than `before` has begun a step; gives up after a while, for the story goes on either way. */
async function stepBegan(
  { session, lockstep }: Scene,
  before: string,
  step: string,
): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const [newest] = await lockstep.jobs({ limit: 1 });
    if (newest && newest.job !== before) {
      const { record } = await viewRecord(session, newest.job);
      if (record?.steps.some(({ name }) => name === step)) return;
    }
    await sleep(5);
  }
}

async function play(): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'lockstep-demo-'));
  const configurationFile = join(home, 'lockstep.yaml');
  const configuration = await readFile(join(example, 'lockstep.yaml'), 'utf8');
  await writeFile(configurationFile, configuration.replace(/directory: \S+/, 'directory: ./files'));
  process.stdout.write(`${colors.bold('Lockstep')}: identity data in step, and nobody wiped.\n\n`);
  const stack = await startDevStack({
    env: { ...processEnvironment, LOCKSTEP_CONFIG: configurationFile },
    home,
    log: (text) => process.stdout.write(`${colors.dim(text)}\n`),
  });
  const { environment } = stack;
  const session = new Session({ environment, configurationFile });
  const lockstep = lockstepOf(session);
  const scene: Scene = {
    stack,
    session,
    lockstep,
    environment,
    async day(name) {
      await rm(join(home, 'files'), { recursive: true, force: true });
      await cp(join(example, name), join(home, 'files'), { recursive: true });
    },
  };
  try {
    await firstRun(scene);
    await secondDay(scene);
    await badDays(scene);
    await browse(scene);
    chapter('That was it');
    say(
      'Everything above ran on a real PostgreSQL and a real Temporal server, which stop now.\n' +
        'To keep a stack running with its pages:  npm start\n' +
        'A first own connector in ten minutes:    README.md',
    );
  } finally {
    await lockstep.close();
    await stack.stop();
    await rm(home, { recursive: true, force: true });
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const started = Date.now();
await play();
process.stdout.write(
  `${colors.dim(`The demo took ${Math.round((Date.now() - started) / 1000)} s.`)}\n`,
);
