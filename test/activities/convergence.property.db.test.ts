/** For any edits of a database, and jobs of either mode in between: an incremental store becomes what a complete one is. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RecordIndexWriter } from '../../connectors/record-index.ts';
import { openPeopleDatabase, type PeopleDatabase } from '../support/people-database.ts';
import type { Contents } from '../support/store-contents.ts';

let people: PeopleDatabase;
beforeAll(async () => {
  people = await openPeopleDatabase();
});
afterAll(() => people[Symbol.asyncDispose]());

/** The same edits at every run; other ones with `LOCKSTEP_TEST_SEED`. */
const seed = Number(process.env['LOCKSTEP_TEST_SEED'] ?? 20_261_122);

const logins = ['ada', 'bob', 'cyd', 'dan'] as const;
const codes = ['dev', 'ops', 'lab'] as const;
const key = (values: readonly string[], ...others: string[]) =>
  fc.constantFrom(...values, ...others);

/** One row is written anew; it is seen from now on, but stamped up to 9 of the 10 minutes of the overlap ago. */
const editOf = (clean: boolean) =>
  fc.record({
    row: fc.oneof(
      fc.record({
        table: fc.constant('person' as const),
        login: key(logins),
        name: key(['Ada', ' Ada ', 'Łucja, "L"']),
        age: fc.constantFrom('36', '51', null, clean ? '' : 'old'),
        team: fc.constantFrom(...codes, 'nothing', null),
        boss: fc.constantFrom(...logins, 'nobody', null),
      }),
      fc.record({ table: fc.constant('team' as const), code: key(codes), label: key(['A', 'B']) }),
      fc.record({
        table: fc.constant('member' as const),
        login: key(logins, 'nobody'),
        code: key(codes),
        role: key(['x', 'y']),
      }),
    ),
    fate: fc.constantFrom('live', 'live', 'gone'),
    minutesLate: fc.constantFrom(0, 0, 9),
  });
type Edit = ReturnType<typeof editOf> extends fc.Arbitrary<infer Value> ? Value : never;

const job = fc.constantFrom('complete', 'incremental', 'incremental', 'simulated' as const);
/** @param clean no row is set aside: a store that knew its resource keeps that, an empty one has none */
const stepsOf = (clean: boolean) =>
  fc.array(fc.oneof({ weight: 3, arbitrary: editOf(clean) }, job), { minLength: 2, maxLength: 14 });

/** The keys of a row, which no two rows share. */
function sameKey({ row }: Edit): [string, string[]] {
  if (row.table === 'person') return ['login = $1', [row.login]];
  return row.table === 'team'
    ? ['code = $1', [row.code]]
    : ['login = $1 and code = $2', [row.login, row.code]];
}

async function apply(change: Edit): Promise<void> {
  const { table, ...values } = change.row;
  const names = Object.keys(values);
  const [where, keys] = sameKey(change);
  await people.client.query(`delete from ${table} where ${where}`, keys);
  await people.client.query(
    `insert into ${table} (${names.join(', ')}, gone, updated_at)
     values (${names.map((_, nth) => `$${nth + 1}`).join(', ')}, ${change.fate === 'gone'},
       now() - interval '${change.minutesLate} minutes')`,
    Object.values(values),
  );
}

/** Somebody writes to every table right before, so that a cursor leaves what was stamped earlier to the overlap. */
async function run(mode: 'complete' | 'incremental' | 'simulated'): Promise<void> {
  await people.client.query(
    `update person set updated_at = now() where login = 'root';
     update team set updated_at = now() where code = 'root';
     update member set updated_at = now() where code = 'root'`,
  );
  if (mode !== 'simulated') return void (await people.bench.sync({}, 'hr', mode));
  const prepared = await people.bench.prepare({}, 'hr', 'incremental');
  await prepared.end();
}

/** People and teams that are never edited: a table without a live row is refused, not loaded. */
async function start(): Promise<void> {
  await people.reset();
  await people.client.query(
    `insert into person (login, name) values ('root', 'Root');
     insert into team (code, label) values ('root', 'Root');
     insert into member (login, code) values ('root', 'root')`,
  );
}

/** Checks a property as often as the time allows, which a failure's shrinking shares. */
async function check(
  seconds: number,
  clean: boolean,
  holds: (steps: readonly (Edit | string)[]) => Promise<void>,
) {
  const deadline = Date.now() + seconds * 1000;
  let nth = 0;
  const property = fc.asyncProperty(stepsOf(clean), async (sequence) => {
    // Every other time all files are as large files are.
    RecordIndexWriter.worthwhile = nth++ % 2 === 0 ? 1 : 50_000;
    if (Date.now() < deadline) await holds(sequence);
  });
  await fc.assert(property, { numRuns: 3, seed });
}

async function follow(sequence: readonly (Edit | string)[]): Promise<void> {
  await start();
  await run('complete');
  for (const step of sequence) {
    if (typeof step === 'object') await apply(step);
    else await run(step as 'complete');
  }
}

test('after an incremental job a complete one finds nothing to change', async () => {
  await check(20, false, async (sequence) => {
    await follow(sequence);
    const { contents } = await people.bench.sync({}, 'hr', 'incremental');
    const complete = await people.bench.sync({}, 'hr', 'complete');
    expect(complete.changes).toEqual([]);
    expect(complete.contents).toEqual(contents);
  });
});

test('what was really deleted stays until a complete job, which ends as one on an empty store does', async () => {
  await check(20, true, async (sequence) => {
    await follow(sequence);
    const before = await people.bench.contents();
    await people.client.query(
      `delete from person where login = 'ada'; delete from member where login = 'bob'; delete from team where code = 'lab'`,
    );
    const { contents } = await people.bench.sync({}, 'hr', 'incremental');
    expect(keys(contents, 'ada')).toEqual(keys(before, 'ada'));
    const repaired = await people.bench.sync({}, 'hr', 'complete');
    expect(keys(repaired.contents, 'ada')).toEqual([]);
    const { pending: _, ...stored } = repaired.contents;
    await people.bench.reset(people.document);
    const fresh = await people.bench.sync({}, 'hr', 'complete');
    expect({ ...fresh.contents, pending: {} }).toEqual({ ...stored, pending: {} });
  });
});

const keys = ({ resources }: Contents, login: string) =>
  Object.keys(resources['person'] ?? {}).filter((each) => each === login);
