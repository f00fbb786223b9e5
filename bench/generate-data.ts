/** Generates the benchmark's data: users, groups and memberships of one day and the next, the same bytes for the same seed. */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';

/** How much of everything there is on the first day. */
export interface DataSize {
  readonly users: number;
  readonly groups: number;
  readonly memberships: number;
}

/** The sizes of the published tables: 10k, 100k and 1M users. */
export const sizes = {
  '10k': { users: 10_000, groups: 500, memberships: 40_000 },
  '100k': { users: 100_000, groups: 2_000, memberships: 400_000 },
  '1m': { users: 1_000_000, groups: 5_000, memberships: 3_000_000 },
} as const satisfies Record<string, DataSize>;

export type SizeName = keyof typeof sizes;

/** The generated directories. `day-1-rotated` has the rows of `day-1`, the second half of each file first. */
export const days = ['day-0', 'day-1', 'day-1-rotated'] as const;
export type Day = (typeof days)[number];

/** The files of a day, in the order in which a reader without foreign keys may take them. */
export const files = ['users', 'groups', 'memberships'] as const;
export type FileName = (typeof files)[number];

/** The columns of each file; the first of the users and of the groups is their key, both are that of a membership. */
export const columns = {
  users:
    'login,last_name,first_name,mail,phone,title,department,site,number,hired,status,country,cost_centre,kind,floor'.split(
      ',',
    ),
  groups: ['code', 'label'],
  memberships: ['login', 'code'],
} as const satisfies Record<FileName, readonly string[]>;

/** What a file holds on the first day, and what is other on the next. */
export interface FileChange {
  readonly rows: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

export type Changes = Readonly<Record<FileName, FileChange>>;

/** Shares of the rows of the first day; a membership has nothing to update, so it moves to another group. */
const updatedShare = 0.005;
const insertedShare = 0.001;
const deletedShare = 0.001;

/** mulberry32: enough for test data, and the same everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Fate = 'kept' | 'updated' | 'deleted';

function fateOf(draw: number): Fate {
  if (draw < deletedShare) return 'deleted';
  return draw > 1 - updatedShare ? 'updated' : 'kept';
}

const lastNames = 'Martin,Bernard,Dubois,Müller,García,Rossi,Kowalski,Novák,Jensen,O’Brien'.split(
  ',',
);
const firstNames = 'Anaïs,Zoé,Jürgen,Pedro,Giulia,Piotr,Jana,Lars,Siobhán,Noël'.split(',');
const grades = 'Junior,Senior,Principal,Assistant,Deputy,Regional'.split(',');
const fields = 'Accounts Payable,Supply Chain,Network,Data Protection,Customer Care,Payroll'.split(
  ',',
);
const roles = 'Engineer,Specialist,Manager,Analyst'.split(',');
const departments = 'Finance,Sales,"Research, applied",Operations,Legal,People,Security,IT'.split(
  /,(?! )/,
);
const systems = 'erp,crm,payroll,files,reports,portal,mail,vpn'.split(',');

function login(index: number): string {
  return `u${String(index).padStart(8, '0')}`;
}

function code(index: number): string {
  return `grp-${systems[index % systems.length]}-${String(index).padStart(5, '0')}`;
}

/** The row of a user; `version` changes the phone and perhaps the title, as a promotion would. */
function userRow(index: number, version: 0 | 1): string {
  const next = random(index * 2_654_435_761);
  const pick = <T>(from: readonly T[]) => from[Math.floor(next() * from.length)] as T;
  const last = pick(lastNames);
  const first = pick(firstNames);
  const day = String(1 + Math.floor(next() * 28)).padStart(2, '0');
  const month = String(1 + Math.floor(next() * 12)).padStart(2, '0');
  const year = 1995 + Math.floor(next() * 30);
  const grade = (Math.floor(next() * grades.length) + version) % grades.length;
  return [
    login(index),
    last,
    first,
    `${login(index)}@corp.example.com`,
    `+33 1 ${String(Math.floor(next() * 1e8)).padStart(8, '0')}${version}`,
    `${grades[grade]} ${pick(fields)} ${pick(roles)}`,
    pick(departments),
    `Site ${Math.floor(next() * 40)}`,
    String(100_000 + index),
    `${day}/${month}/${year}`,
    next() < 0.95 ? 'A' : 'I',
    pick(['FR', 'DE', 'ES', 'IT', 'PL']),
    `CC${Math.floor(next() * 900)}`,
    pick(['internal', 'external']),
    `Floor ${Math.floor(next() * 12)}`,
  ].join(',');
}

function groupRow(index: number, version: 0 | 1): string {
  return `${code(index)},Group ${index}${version ? ' (renamed)' : ''}`;
}

/** Rows of a file on the second day, or on the first; what is other is counted. */
type Rows = (
  size: DataSize,
  isNextDay: boolean,
  changes: Record<keyof FileChange, number>,
) => Generator<string>;

const rowsOf: Record<FileName, Rows> = {
  *users({ users }, isNextDay, changes) {
    for (let index = 0; index < users; index++) {
      const fate = isNextDay ? fateOfUser(index) : 'kept';
      if (fate !== 'kept') changes[fate] += 1;
      if (fate !== 'deleted') yield userRow(index, fate === 'updated' ? 1 : 0);
    }
    for (let index = users; isNextDay && index < users * (1 + insertedShare); index++) {
      changes.inserted += 1;
      yield userRow(index, 0);
    }
  },
  *groups({ groups }, isNextDay, changes) {
    for (let index = 0; index < groups; index++) {
      const isRenamed = isNextDay && fateOf(random(index + 11)()) === 'updated';
      if (isRenamed) changes.updated += 1;
      yield groupRow(index, isRenamed ? 1 : 0);
    }
  },
  *memberships({ users, groups, memberships }, isNextDay, changes) {
    const each = memberships / users;
    for (let index = 0; index < users * (1 + (isNextDay ? insertedShare : 0)); index++) {
      const isGone = isNextDay && index < users && fateOfUser(index) === 'deleted';
      const next = random(index * 2_246_822_519 + 13);
      const first = Math.floor(next() * groups);
      for (let nth = 0; nth < each; nth++) {
        const fate = isNextDay && index < users ? fateOf(next()) : 'kept';
        if (isGone || fate !== 'kept') changes.deleted += 1;
        if (isGone || fate === 'deleted') continue;
        if (fate === 'updated' || index >= users) changes.inserted += 1;
        // Groups of one user are 7 apart, so one that moves by 1 is in none of the others.
        const group = (first + nth * 7 + (fate === 'updated' ? 1 : 0)) % groups;
        yield `${login(index)},${code(group)}`;
      }
    }
  },
};

function fateOfUser(index: number): Fate {
  return fateOf(random(index + 7)());
}

/** Writes the directories of all days below a directory. @returns what is other on the second day. */
export async function generateData(
  directory: string,
  size: DataSize,
  signal: AbortSignal,
): Promise<Changes> {
  for (const day of days) await mkdir(join(directory, day), { recursive: true });
  const changes = {} as Record<FileName, FileChange>;
  for (const name of files) {
    const counted = { rows: size[name], inserted: 0, updated: 0, deleted: 0 };
    for (const day of ['day-0', 'day-1'] as const) {
      const path = join(directory, day, `${name}.csv`);
      await writeRows(path, columns[name], rowsOf[name](size, day === 'day-1', counted), signal);
    }
    await rotateRows(
      join(directory, 'day-1', `${name}.csv`),
      join(directory, 'day-1-rotated', `${name}.csv`),
    );
    changes[name] = counted;
  }
  return changes;
}

async function writeRows(
  path: string,
  header: readonly string[],
  rows: Iterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const stream = createWriteStream(path);
  let text = `${header.join(',')}\n`;
  for (const row of rows) {
    text += `${row}\n`;
    if (text.length > 1 << 18) {
      if (!stream.write(text)) await once(stream, 'drain');
      text = '';
      await turn(undefined, { signal });
    }
  }
  stream.end(text);
  await once(stream, 'close');
}

/** Copies a file with the second half of its rows first; the header stays. Bytes are copied, so no row may hold a line break. */
async function rotateRows(from: string, to: string): Promise<void> {
  await using file = await open(from);
  const { size } = await file.stat();
  const body = await lineStart(file, 0);
  const middle = await lineStart(file, body + Math.floor((size - body) / 2));
  const parts = [
    [0, body],
    [middle, size],
    [body, middle],
  ] as const;
  for (const [start, end] of parts)
    await pipeline(
      createReadStream(from, { start, end: end - 1 }),
      createWriteStream(to, { flags: 'a' }),
    );
}

/** Where the first line after a position begins. */
async function lineStart(file: Awaited<ReturnType<typeof open>>, after: number): Promise<number> {
  const { buffer } = await file.read(Buffer.alloc(4096), 0, 4096, after);
  return after + buffer.indexOf('\n') + 1;
}
