/** Rows that are set aside: listed with their lines at every run, and never a reason to touch what is stored. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Reject } from '../../engine/reject.ts';
import {
  type PeopleRows,
  peopleConfiguration,
  peopleFiles,
  usualRows,
} from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

const [ada, bob, cyd] = usualRows.people;
const place = ({ code, line, key, column, value }: Reject) => [code, line, key, column, value];

/** Loads the rows twice: the second time nothing changes and the same rejects are listed. */
async function twice(rows: PeopleRows) {
  const first = await bench.sync(peopleFiles(rows));
  const second = await bench.sync(peopleFiles(rows));
  expect(second.changes).toEqual([]);
  expect(second.rejects.map(place)).toEqual(first.rejects.map(place));
  expect(second.counts.rejected).toBe(second.rejects.length);
  expect(second.contents).toEqual(first.contents);
  return first;
}

describe('a key on several lines', () => {
  test('new ones: none is inserted, each is listed', async () => {
    const { rejects, contents, counts } = await twice({
      people: [ada, bob, ada.replace('Ada', 'Eve')],
    });
    expect(rejects.map(place)).toEqual([
      ['KeyDuplicate', 2, 'ada', 'id', 'ada'],
      ['KeyDuplicate', 4, 'ada', 'id', 'ada'],
      ['ReferenceUnknown', 2, 'ada', 'person', 'ada'],
      ['ReferenceUnknown', 4, 'cyd', 'person', 'cyd'],
      ['ReferenceUnknown', 5, 'cyd', 'person', 'cyd'],
    ]);
    expect(rejects[0]?.message).toBe('the key is on lines 2, 4');
    expect(Object.keys(contents.resources['person'] ?? {})).toEqual(['bob']);
    expect(counts).toMatchObject({ inserted: 5 });
  });

  test('identical ones are duplicates too', async () => {
    const { rejects, contents } = await twice({ people: [ada, ada, bob, cyd] });
    expect(rejects.slice(0, 2).map(place)).toEqual([
      ['KeyDuplicate', 2, 'ada', 'id', 'ada'],
      ['KeyDuplicate', 3, 'ada', 'id', 'ada'],
    ]);
    expect(contents.resources['person']).not.toHaveProperty('ada');
  });

  test.each([
    ['one more like it', [ada, bob, cyd, ada]],
    ['a different one', [ada, bob, cyd, ada.replace('Ada', 'Eve')]],
    ['a different one before it', [ada.replace('Ada', 'Eve'), bob, cyd, ada]],
    ['two others', [ada, bob, cyd, ada.replace('Ada', 'Eve'), ada.replace('36', '37')]],
    ['two more like it', [ada, bob, cyd, ada, ada]],
    ['none like it left', [ada.replace('Ada', 'Eve'), bob, cyd, ada.replace('36', '37')]],
  ])('stored already, and %s: the stored one is kept with its links', async (_, people) => {
    const { contents } = await bench.sync(peopleFiles());
    const job = await twice({ people });
    const lines = people.flatMap((row, index) => (row.startsWith('ada') ? [index + 2] : []));
    expect(job.rejects.map(place)).toEqual(
      lines.map((line) => ['KeyDuplicate', line, 'ada', 'id', 'ada']),
    );
    expect(job.changes).toEqual([]);
    expect(job.counts).toMatchObject({ unchanged: 6, rejected: lines.length });
    expect(job.contents).toEqual(contents);
  });

  test('on one line again it is used again', async () => {
    await bench.sync(peopleFiles());
    await bench.sync(peopleFiles({ people: [ada, bob, cyd, ada] }));
    const job = await bench.sync(peopleFiles({ people: [ada.replace('36', '37'), bob, cyd] }));
    expect(job.counts).toMatchObject({ updated: 1, rejected: 0 });
  });
});

describe('a value that does not convert', () => {
  const late = ada.replace('01/02/2020', '31/02/2020').replace(',RD,', ',HQ,');

  test('sets a new row aside', async () => {
    const { rejects, contents } = await twice({
      people: [late, bob, cyd],
      memberships: ['bob,ops'],
    });
    expect(rejects.map(place)).toEqual([
      ['ValueInvalid', 2, 'ada', 'hired', '31/02/2020'],
      ['ReferenceUnknown', 4, 'cyd', 'boss', 'ada'],
    ]);
    expect(rejects[0]?.message).toBe('hired is not a date written as dd/MM/yyyy');
    expect(contents.resources['person']).not.toHaveProperty('ada');
  });

  test('keeps the stored resource and its links as they are', async () => {
    const { contents } = await bench.sync(peopleFiles());
    const job = await twice({ people: [late, bob, cyd] });
    expect(job.changes).toEqual([]);
    expect(job.contents).toEqual(contents);
  });

  test('names every value of the row that does not', async () => {
    const { rejects } = await bench.sync(
      peopleFiles({ people: [late.replace('36', 'old'), bob, cyd], memberships: ['bob,ops'] }),
    );
    expect(rejects[0]?.message).toBe(
      'hired is not a date written as dd/MM/yyyy; also age is not a whole number',
    );
  });
});

describe('a malformed row', () => {
  test.each([
    ['has a cell too few', 'ada,Ada,01/02/2020,36,RD', 'has 5 cells, the header has 6'],
    ['has a cell too many', `${ada},x`, 'has 7 cells, the header has 6'],
    ['has a quote in the middle', 'ada,A"da,01/02/2020,36,RD,bob', /quote in the middle of a cell/],
    ['has text after a quote', '"ada"x,Ada,01/02/2020,36,RD,bob', /quote in the middle of a cell/],
  ])('that %s is listed', async (_, row, message) => {
    const { rejects } = await twice({ people: [row, bob, cyd], memberships: ['bob,ops'] });
    expect(rejects[0]).toMatchObject({ code: 'RowMalformed', line: 2, key: null, value: row });
    expect(rejects[0]?.message).toMatch(message);
  });

  test.each(['ada,Ada,01/02/2020,36,RD', 'ada,A"da,01/02/2020,36,RD,bob'])(
    'keeps the stored resources it may stand for: %s',
    async (row) => {
      const { contents } = await bench.sync(peopleFiles());
      const job = await twice({ people: [row, bob, cyd] });
      expect(job.changes).toEqual([]);
      expect(job.contents).toEqual(contents);
    },
  );

  test('of an association keeps the link it may stand for, and no other', async () => {
    await bench.sync(peopleFiles());
    const memberships = ['ada,dev,x', 'bob,ops', 'cyd,dev'];
    const job = await twice({ memberships });
    expect(job.changes).toMatchObject([{ from: 'cyd', to: 'ops', change: 'delete' }]);
    expect(job.rejects.map(place)).toEqual([['RowMalformed', 2, null, null, 'ada,dev,x']]);
  });

  test('of an integer key keeps the resource however the number was written', async () => {
    const document = peopleConfiguration();
    const { team } = document.entityTypes;
    if (!team) throw new Error('the model has no team');
    const properties = { ...team.properties, code: { column: 'code', type: 'integer' as const } };
    await bench.reset({
      ...document,
      entityTypes: { ...document.entityTypes, team: { ...team, properties } },
    });
    const numbered = { memberships: ['ada,7'], teams: ['007,Seven', '8,Eight'] };
    const { contents } = await bench.sync(peopleFiles(numbered));
    const job = await bench.sync(peopleFiles({ ...numbered, teams: ['007,Seven,x', '8,Eight'] }));
    expect(job.changes).toEqual([]);
    expect(job.contents).toEqual(contents);
  });
});

describe('a blank key', () => {
  const nobody = ',Nobody,01/02/2020,36,RD,bob';

  test('is listed, and identifies nothing', async () => {
    const { rejects, counts } = await twice({ people: [ada, bob, cyd, nobody, ' ,,,,,bob'] });
    expect(rejects.map(place)).toEqual([
      ['KeyMissing', 5, null, 'id', null],
      ['KeyMissing', 6, null, 'id', null],
    ]);
    expect(counts).toMatchObject({ read: 13, rejected: 2, inserted: 7 });
  });

  test('keeps nobody, neither who is gone nor those its row refers to', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(peopleFiles({ people: [ada, cyd, nobody] }));
    expect(job.counts).toMatchObject({ deleted: 1 });
    expect(job.contents.resources['person']).not.toHaveProperty('bob');
  });

  test.each([
    [',dev', 'person'],
    ['ada,', 'team'],
  ])('at one end of an association (“%s”) is listed by its column', async (row, column) => {
    const job = await twice({ memberships: [...usualRows.memberships, row] });
    expect(job.rejects).toMatchObject([{ code: 'KeyMissing', line: 6, column }]);
    expect(job.counts).toMatchObject({ linksInserted: 10 });
  });
});

test('a dirty file leaves no dirty row in the store, and every seeded error in the list', async () => {
  const { rejects, contents, state } = await twice({
    people: [
      ada,
      'eve,Eve,31/02/2020,,,',
      'fay,Fay,,x,,',
      'gil,Gil,,,,,',
      ',Hal,,,,',
      'bob,Bob,29/02/2016,51,HQ,',
      'ivy,Ivy,,,,',
      'ivy,Ivy,,,,',
      'jon,Jon,,,nowhere,',
    ],
    memberships: ['ada,dev'],
  });
  expect(state).toBe('succeeded-with-rejects');
  expect(rejects.map(({ code, line }) => [code, line])).toEqual([
    ['ValueInvalid', 3],
    ['ValueInvalid', 4],
    ['RowMalformed', 5],
    ['KeyMissing', 6],
    ['KeyDuplicate', 8],
    ['KeyDuplicate', 9],
    ['ReferenceUnknown', 10],
  ]);
  expect(Object.keys(contents.resources['person'] ?? {})).toEqual(['ada', 'bob', 'jon']);
});
