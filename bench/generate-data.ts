/** Generates the benchmark's data: users, groups and memberships of one day and the next, the same bytes for the same seed. */
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** How much of everything, and how much of it is other on the next day. */
export interface DataSize {
  readonly users: number;
  readonly groups: number;
  readonly memberships: number;
}

/** The sizes of the published table: 10k, 100k and 1M users. */
export const sizes = {
  '10k': { users: 10_000, groups: 500, memberships: 40_000 },
  '100k': { users: 100_000, groups: 2_000, memberships: 400_000 },
  '1m': { users: 1_000_000, groups: 5_000, memberships: 3_000_000 },
} as const satisfies Record<string, DataSize>;

export type SizeName = keyof typeof sizes;

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

const lastNames = 'Martin,Bernard,Dubois,Müller,García,Rossi,Kowalski,Novák,Jensen,O’Brien'.split(
  ',',
);
const firstNames = 'Anaïs,Zoé,Jürgen,Pedro,Giulia,Piotr,Jana,Lars,Siobhán,Noël'.split(',');
const departments = 'Finance,Sales,"Research, applied",Operations,Legal,People,Security,IT'.split(
  /,(?! )/,
);

/** The row of a user; `version` changes the title and the phone, as a promotion would. */
function userRow(index: number, version: number): string {
  const next = random(index * 2_654_435_761);
  const pick = <T>(from: readonly T[]) => from[Math.floor(next() * from.length)] as T;
  const last = pick(lastNames);
  const first = pick(firstNames);
  const day = String(1 + Math.floor(next() * 28)).padStart(2, '0');
  const month = String(1 + Math.floor(next() * 12)).padStart(2, '0');
  const year = 1995 + Math.floor(next() * 30);
  return [
    `u${String(index).padStart(8, '0')}`,
    last,
    first,
    `u${index}@example.com`,
    `+33 1 ${String(Math.floor(next() * 1e8)).padStart(8, '0')}${version}`,
    `Engineer ${version + Math.floor(next() * 9)}`,
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

const userHeader =
  'login,last_name,first_name,mail,phone,title,department,site,number,hired,status,country,cost_centre,kind,floor';

/** Writes `day-0` and `day-1` of a size below a directory. */
export async function generateData(
  directory: string,
  { users, groups, memberships }: DataSize,
): Promise<void> {
  for (const day of [0, 1] as const) {
    const folder = join(directory, `day-${day}`);
    await mkdir(folder, { recursive: true });
    await write(join(folder, 'groups.csv'), function* () {
      yield 'code,label';
      for (let index = 0; index < groups; index++) yield `g${index},Group ${index}`;
    });
    await write(join(folder, 'users.csv'), function* () {
      yield userHeader;
      for (let index = 0; index < users; index++) {
        const fate = random(index + 7)();
        if (day === 1 && fate < deletedShare) continue;
        yield userRow(index, day === 1 && fate > 1 - updatedShare ? 1 : 0);
      }
      for (let index = users; day === 1 && index < users * (1 + insertedShare); index++)
        yield userRow(index, 0);
    });
    await write(join(folder, 'memberships.csv'), function* () {
      yield 'login,code';
      const each = memberships / users;
      for (let index = 0; index < users; index++) {
        const next = random(index + 7);
        const gone = next() < deletedShare;
        const first = Math.floor(next() * groups);
        const moves = next() < updatedShare;
        if (day === 1 && gone) continue;
        for (let nth = 0; nth < each; nth++) {
          const moved = day === 1 && nth === 0 && moves ? 1 : 0;
          yield `u${String(index).padStart(8, '0')},g${(first + nth * 7 + moved) % groups}`;
        }
      }
    });
  }
}

async function write(path: string, lines: () => Generator<string>): Promise<void> {
  const stream: WriteStream = createWriteStream(path);
  let text = '';
  for (const line of lines()) {
    text += `${line}\n`;
    if (text.length > 1 << 18) {
      if (!stream.write(text)) await once(stream, 'drain');
      text = '';
    }
  }
  stream.end(text);
  await once(stream, 'close');
}

/** The configuration for the generated files: every limit as wide as it can be, so that only a first load asks. */
export function benchmarkConfiguration(directory: string): string {
  const columns = userHeader.split(',').map((column) => {
    if (column === 'hired') return `      hired: { column: hired, type: date, format: dd/MM/yyyy }`;
    if (column === 'status')
      return `      active: { column: status, type: boolean, true: [A], false: [I] }`;
    return `      ${column}: { column: ${column} }`;
  });
  return `connectors:
  bench:
    kind: csv
    directory: ${JSON.stringify(directory)}
    schedules: { complete: never }
    thresholds:
      maximumInsertedLines: 100000
      maximumUpdatedLines: 100000
      maximumDeletedLines: 100000
      maximumLinkInsertedLines: 1000000
      maximumLinkUpdatedLines: 1000000
      maximumLinkDeletedLines: 1000000
entityTypes:
  bench_user:
    connector: bench
    source: users.csv
    key: login
    properties:
${columns.join('\n')}
  bench_group: { connector: bench, source: groups.csv, key: code, properties: { code: { column: code }, label: { column: label } } }
associations:
  bench_membership:
    connector: bench
    source: memberships.csv
    from: { entityType: bench_user, property: groups, column: login }
    to: { entityType: bench_group, property: members, column: code }
`;
}
