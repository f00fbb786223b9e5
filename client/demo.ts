#!/usr/bin/env node
/** `npm run demo`: a real application's files, day after day, through the real stack; told on the terminal, ends by itself. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chapter, newestJob, play, type Stage, say, type } from './demo-stage.ts';
import { viewRecord } from './job-view.ts';

const example = fileURLToPath(new URL('../examples/sab/', import.meta.url));

/** Puts the files of a day where the connector reads them. */
async function day({ home }: Stage, name: string): Promise<void> {
  await rm(join(home, 'files'), { recursive: true, force: true });
  await cp(join(example, name), join(home, 'files'), { recursive: true });
}

async function firstRun(stage: Stage): Promise<void> {
  chapter('1. The first run asks');
  say(
    'SAB writes four files: organisations, users with managers, groups, memberships.\nThe store is empty, so everything is new, and a first load always asks a person.',
  );
  await day(stage, 'day-1');
  await type(stage, 3, 'run', 'sab');
  const job = await newestJob(stage);
  say('Nothing is in the store yet. What would be written can be looked at, row by row:');
  await type(stage, 0, 'changes', job, '--entity-type', 'sab_user', '--limit', '4');
  say('And what cannot be used, with its line and the reason:');
  await type(stage, 0, 'rejects', job);
  chapter('2. A worker dies, the job does not');
  const { worker } = stage.stack;
  const pid = worker.pid as number;
  await worker.kill('SIGKILL');
  say(
    `kill -9 ${pid}: the worker is gone. The job waits in Temporal, not in the worker; another worker comes up.`,
  );
  await worker.untilReplaced(pid);
  await type(stage, 0, 'resume', job, '--reason', 'first load, reviewed');
}

async function secondDay(stage: Stage): Promise<void> {
  chapter('3. The second day passes by itself');
  say(
    'Some joined, two left, a department that was missing has arrived. All within the limits, so nobody is asked.\nThe worker is killed in the middle of this one, too: another goes on where it can.',
  );
  await day(stage, 'day-2');
  const pid = stage.stack.worker.pid as number;
  const before = await newestJob(stage);
  const run = type(stage, 0, 'run', 'sab');
  await stepBegan(stage, before, 'prepare');
  await stage.stack.worker.kill('SIGKILL');
  await Promise.all([run, stage.stack.worker.untilReplaced(pid)]);
  await type(stage, 0, 'changes', await newestJob(stage), '--limit', '12');
  say('The same files once more: nothing changed, so nothing is touched.');
  await type(stage, 0, 'run', 'sab');
}

async function badDays(stage: Stage): Promise<void> {
  chapter('4. Bad days are stopped');
  say('A blank users.csv. An import that believed it would delete everybody.');
  await day(stage, 'bad-days/blank-file');
  await type(stage, 1, 'run', 'sab');
  say('Somebody swapped two headings: every name would be wrong.');
  await day(stage, 'bad-days/swapped-headers');
  await type(stage, 3, 'run', 'sab');
  await type(
    stage,
    4,
    'abort',
    await newestJob(stage),
    '--reason',
    'headings swapped, asked for a new file',
  );
}

async function browse(stage: Stage): Promise<void> {
  chapter('5. From a user to a group to a user');
  await type(stage, 0, 'show', 'sab_user', 'schevalier');
  const user = await stage.lockstep.show('sab_user', 'schevalier');
  const [group = 'TOUS'] = [user.links['groups'] ?? []].flat();
  await type(stage, 0, 'show', 'sab_group', group);
  const members = [(await stage.lockstep.show('sab_group', group)).links['members'] ?? []].flat();
  const other = members.find((member) => member !== 'schevalier') ?? 'schevalier';
  await type(stage, 0, 'show', 'sab_user', other);
  await type(stage, 0, 'jobs');
}

/** Resolves when a job other than `before` has begun a step; gives up after a while, for the story goes on either way. */
async function stepBegan(
  { session, lockstep }: Stage,
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

const change = (yaml: string) => yaml.replace(/directory: \S+/, 'directory: ./files');
await play(join(example, 'lockstep.yaml'), { change }, async (stage) => {
  await firstRun(stage);
  await secondDay(stage);
  await badDays(stage);
  await browse(stage);
  chapter('That was it');
  say(
    'Everything above ran on a real PostgreSQL and a real Temporal server, which stop now.\n' +
      'Users and groups of a SCIM service:      npm run demo:scim\n' +
      'To keep a stack running with its pages:  npm start\n' +
      'A first own connector in ten minutes:    README.md',
  );
});
