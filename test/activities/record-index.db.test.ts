/** The index of a large extraction saves reading the store and looking at every row; without it, or with a damaged one, nothing differs. */
import { cp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Manifest } from '../../connectors/extraction.ts';
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
  // What other tests extracted shares files with what comes next.
  const { rows } = await bench.store.pool.query<{ id: string }>('select id from extraction');
  for (const { id } of rows) {
    await rm(join(bench.extractions, id), { recursive: true, force: true });
  }
  const loaded = relative(bench.extractions, former);
  await bench.store.pool.query('delete from extraction where id <> $1', [loaded]);
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

const nextFiles = peopleFiles({ teams: nextTeams, memberships: nextMemberships });

/** Prepares the next day, which comes to the same however it is found. */
async function nextDay(prepare = () => bench.prepare(nextFiles)) {
  const queries = vi.spyOn(pg.Client.prototype, 'query');
  const job = await prepare();
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

/** Turns a byte of the files of that suffix, and sets their clocks back. */
async function turnInSecret(directory: string, suffix: string, at: number): Promise<void> {
  for (const file of large) await flipInSecret(join(directory, `${file}${suffix}`), at);
}

const aDigest = 100;
const aLandmark = many * 16 + 40;

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
    'with a byte of a digest turned': edit(index, turned(aDigest)),
    'with a byte of a landmark turned': edit(index, turned(aLandmark)),
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
});

describe('what the export said of the next day', () => {
  const looked = { lookedUp: 2, lookedFor: 0, storeAsked: false };
  const asked = { lookedUp: 0, lookedFor: 2, storeAsked: true };
  /** Exports and prepares the next day, disturbs, and prepares it again. */
  const disturbed = async (disturb: (now: string) => Promise<unknown>, files = nextFiles) => {
    const job = await bench.prepare(files);
    try {
      await disturb(join(bench.extractions, job.extraction));
      return await nextDay(() => job.again());
    } catch (error) {
      await job.end();
      throw error;
    }
  };

  test('is little, and stands in the manifest', async () => {
    await disturbed(async (now) => {
      const { files } = JSON.parse(await readFile(join(now, 'manifest.json'), 'utf8')) as Manifest;
      const said = files.flatMap(({ difference }) => difference ?? []);
      expect(said).toMatchObject([
        { file: 'teams.csv.difference', come: 2, gone: 3, bytes: 100 },
        { file: 'memberships.csv.difference', come: 1, gone: 3, bytes: 80 },
      ]);
    });
  });

  test('is believed: no digest of an index is read', async () => {
    const turn = async (now: string) => {
      await turnInSecret(former, '.index', aDigest);
      await turnInSecret(now, '.index', aDigest);
    };
    expect(await disturbed(turn)).toEqual(looked);
  });

  describe.each([
    ['turned', (now: string) => turnInSecret(now, '.difference', 5)],
    ['gone', (now: string) => removeAll(now, '.difference')],
  ])('was %s', (_, disturb) => {
    test('indexes are compared', async () => {
      expect(await disturbed(disturb)).toEqual(looked);
    });

    test('with a former index that was turned the store is asked', async () => {
      const turn = async (now: string) => {
        await disturb(now);
        await turnInSecret(former, '.index', aDigest);
      };
      expect(await disturbed(turn)).toEqual(asked);
    });
  });

  test('helps nobody without the landmarks of the former file', async () => {
    expect(await disturbed(() => turnInSecret(former, '.index', aLandmark))).toEqual(asked);
  });

  test('is nothing where records stand in another order: indexes are compared', async () => {
    const half = many / 2;
    const rotated = [...nextTeams.slice(half), ...nextTeams.slice(0, half)];
    const files = peopleFiles({ teams: rotated, memberships: nextMemberships });
    const remove = async (now: string) => {
      expect((await readdir(now)).filter((name) => name.endsWith('.difference'))).toEqual([
        'memberships.csv.difference',
      ]);
    };
    expect(await disturbed(remove, files)).toEqual(looked);
  });

  test('is of another file than the one that was loaded last: indexes are compared', async () => {
    const simulated = await bench.simulate(
      peopleFiles({ teams: teams.toSpliced(50, 1), memberships: memberships.toSpliced(50, 1) }),
    );
    expect(simulated.counts).toMatchObject({ deleted: 1, linksDeleted: 1 });
    expect(await nextDay()).toEqual(looked);
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
    ['a digest', aDigest],
    ['a landmark', aLandmark],
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

// The last test: it loads something else.
test('the next day is the same after a load of an extraction that shares the files', async () => {
  const organisations = ['HQ,Head office,', 'RD,Renamed,HQ'];
  const { extraction } = await bench.sync(peopleFiles({ organisations, teams, memberships }));
  const names = await readdir(join(bench.extractions, extraction));
  expect(names.filter((name) => name.endsWith('.index'))).toHaveLength(2);
  await bench.sync(peopleFiles({ teams, memberships }));
  expect(await nextDay()).toEqual({ lookedUp: 2, lookedFor: 0, storeAsked: false });
});

async function removeAll(directory: string, suffix: string): Promise<void> {
  for (const file of large) await rm(join(directory, `${file}${suffix}`));
}

/** Turns a byte, and sets the clock of the file back. */
async function flipInSecret(path: string, at: number): Promise<void> {
  const { atime, mtime } = await stat(path);
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(bytes.readUInt8(at) ^ 1, at, at + 1));
  await utimes(path, atime, mtime);
}
