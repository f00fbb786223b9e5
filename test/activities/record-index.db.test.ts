/** The index of a large extraction saves reading the store and looking at every row; without it, or with a damaged one, nothing differs. */
import { cp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { RecordIndexWriter } from '../../connectors/record-index.ts';
import { peopleConfiguration, peopleFiles } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
/** The extraction that was loaded, and a copy of it as it was. */
let former: string;
let untouched: string;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
  const { extraction } = await bench.sync(peopleFiles({ teams, memberships }));
  former = join(bench.extractions, extraction);
  untouched = `${bench.extractions}-untouched`;
  await cp(former, untouched, { recursive: true, preserveTimestamps: true });
});
afterAll(async () => {
  await rm(untouched, { recursive: true });
  await bench[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await rm(former, { recursive: true, force: true });
  await cp(untouched, former, { recursive: true, preserveTimestamps: true });
});

const many = 2_010;
RecordIndexWriter.worthwhile = 2_000;
const teams = Array.from({ length: many }, (_, nth) => `team-${nth},Team ${nth}`);
const memberships = Array.from({ length: many }, (_, nth) => `ada,team-${nth}`);
const nextTeams = teams
  .toSpliced(7, 1, 'team-7,Renamed')
  .toSpliced(1_000, 2)
  .concat('team-new,New');
const nextMemberships = memberships.toSpliced(1_000, 3).concat('bob,team-new');

const large = ['teams.csv', 'memberships.csv'];

/** Prepares the next day, which comes to the same however it is found. */
async function nextDay() {
  const queries = vi.spyOn(pg.Client.prototype, 'query');
  const job = await bench.prepare(peopleFiles({ teams: nextTeams, memberships: nextMemberships }));
  const statements = queries.mock.calls.map(([statement]) =>
    typeof statement === 'string' ? statement : ((statement as { text?: string }).text ?? ''),
  );
  queries.mockRestore();
  await job.end();
  const { counts, changes, rejects } = job;
  expect(counts).toMatchObject({
    inserted: 1,
    updated: 1,
    deleted: 2,
    linksInserted: 1,
    linksDeleted: 3,
  });
  expect(changes).toHaveLength(8);
  expect(rejects).toEqual([]);
  const counted = (what: string) => statements.filter((each) => each.includes(what)).length;
  return {
    /** In how many scopes the rows that are gone were looked up, and in how many every row was looked at. */
    lookedUp: counted('_deletion g') - counted('drop table unseen'),
    lookedFor: counted("source_digest = any ('"),
    storeAsked: counted('copy (select count(*) as rows, string_agg') > 0,
  };
}

describe('the next day is the same', () => {
  type Disturb = () => Promise<unknown>;
  const edit =
    (name: (file: string) => string, change: (bytes: Buffer) => Uint8Array): Disturb =>
    async () => {
      for (const file of large) {
        const path = join(former, name(file));
        const { atime, mtime } = await stat(path);
        await writeFile(path, change(await readFile(path)));
        await utimes(path, atime, mtime);
      }
    };
  const index = (file: string) => `${file}.index`;
  const data = (file: string) => file;
  const turned = (at: number) => (bytes: Buffer) => bytes.fill(bytes.readUInt8(at) ^ 1, at, at + 1);
  const asks: Record<string, Disturb> = {
    'with an index that is gone': async () => {
      for (const file of large) await rm(join(former, index(file)));
    },
    'with an index cut short': edit(index, (bytes) => bytes.subarray(0, bytes.length - 7)),
    'with an index without a digest': edit(index, (bytes) => bytes.subarray(16)),
    'with a byte of a digest turned': edit(index, turned(100)),
    'with a byte of a landmark turned': edit(index, turned(many * 16 + 40)),
    'with an index that is longer': edit(index, (bytes) => Buffer.concat([bytes, bytes])),
    'with a manifest that was touched': async () => {
      const path = join(former, 'manifest.json');
      await writeFile(path, `${await readFile(path, 'utf8')} `);
    },
    'without the former extraction': () => rm(former, { recursive: true }),
  };

  test('by the index: digests are compared, and rows that are gone are looked up', async () => {
    expect(await nextDay()).toEqual({ lookedUp: 2, lookedFor: 0, storeAsked: false });
  });

  for (const [how, disturb] of Object.entries(asks)) {
    test(`${how}: the store is asked, and every row looked at`, async () => {
      await disturb();
      expect(await nextDay()).toEqual({ lookedUp: 0, lookedFor: 2, storeAsked: true });
    });
  }

  const looks: Record<string, Disturb> = {
    'with the records that are gone turned into others': edit(data, (bytes) =>
      Buffer.from(bytes.toString('utf8').replaceAll('eam-100', 'eam-300')),
    ),
    'with the former file gone': async () => {
      for (const file of large) await rm(join(former, file));
    },
    'with the former file cut short': edit(data, (bytes) => bytes.subarray(0, 1000)),
  };

  for (const [how, disturb] of Object.entries(looks)) {
    test(`${how}: every row is looked at`, async () => {
      await disturb();
      expect(await nextDay()).toEqual({ lookedUp: 0, lookedFor: 2, storeAsked: false });
    });
  }

  test('when the last load left an extraction that shares the files', async () => {
    const organisations = ['HQ,Head office,', 'RD,Renamed,HQ'];
    const { extraction } = await bench.sync(peopleFiles({ organisations, teams, memberships }));
    const names = await readdir(join(bench.extractions, extraction));
    expect(names.filter((name) => name.endsWith('.index'))).toHaveLength(2);
    await bench.sync(peopleFiles({ teams, memberships }));
    expect(await nextDay()).toEqual({ lookedUp: 2, lookedFor: 0, storeAsked: false });
  });
});

describe('an extraction that was touched in secret', () => {
  const touchAndPrepareAgain = async (name: string, at: (size: number) => number) => {
    const job = await bench.prepare(peopleFiles({ teams: nextTeams, memberships }));
    const path = join(bench.extractions, job.extraction, name);
    await flipInSecret(path, at((await stat(path)).size));
    try {
      return [job, await job.again()] as const;
    } finally {
      await job.end();
    }
  };

  test.each([
    ['a digest', 100],
    ['a landmark', many * 16 + 40],
  ])('%s of its index: the file is read through instead', async (_, at) => {
    const [job, again] = await touchAndPrepareAgain('teams.csv.index', () => at);
    expect(again.counts).toEqual(job.counts);
    expect(again.changes).toHaveLength(job.changes.length);
  });

  test('a new record: it is refused', async () => {
    await expect(touchAndPrepareAgain('teams.csv', (size) => size - 2)).rejects.toMatchObject({
      type: 'ExtractionModified',
    });
  });
});

/** Turns a byte, and sets the clock of the file back. */
async function flipInSecret(path: string, at: number): Promise<void> {
  const { atime, mtime } = await stat(path);
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(bytes.readUInt8(at) ^ 1, at, at + 1));
  await utimes(path, atime, mtime);
}
