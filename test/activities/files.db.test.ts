/** Sources that are patterns, from job to job: rejects name the file and line that people know, and nothing is read twice. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigurationDocument, SourceDocument } from '../../config/document.ts';
import type { Reject } from '../../engine/reject.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

function configuration(source: SourceDocument): ConfigurationDocument {
  return {
    connectors: { sab: { kind: 'csv', directory: './sab', settle: 0 } },
    entityTypes: {
      person: {
        connector: 'sab',
        source,
        key: 'id',
        properties: {
          id: { column: 'id' },
          name: { column: 'name', searchable: true },
          age: { column: 'age', type: 'integer' },
          boss: { column: 'boss', references: 'person' },
        },
      },
    },
  };
}

const newest = configuration('people-*.csv*');
const all = configuration({ file: 'people-*.csv', pick: 'all' });

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(newest);
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(newest));

const header = 'id,name,age,boss\n';
const place = ({ code, file, line, key, column, value, message }: Reject) => [
  code,
  `${file}:${line}`,
  key,
  column,
  value,
  message,
];

describe('a drop folder', () => {
  test('the newest file wins; the same rows under a new name change nothing', async () => {
    const rows = `${header}1,Ann,30,\n2,Bob,40,1\n`;
    const first = await bench.sync({ 'people-20261121.csv': rows });
    expect(first.counts).toMatchObject({ inserted: 2, linksInserted: 1 });
    const second = await bench.sync({
      'people-20261121.csv': `${header}9,Old,1,\n`,
      'people-20261122.csv': rows,
    });
    expect(second.changes).toEqual([]);
    expect(second.counts).toMatchObject({ unchanged: 2, rejected: 0 });
    const third = await bench.sync({
      'people-20261122.csv': rows,
      'people-20261123.csv.gz': gzipSync(rows.replace('40', '41')),
    });
    expect(third.counts).toMatchObject({ updated: 1, unchanged: 1 });
  });

  test('rejects and errors name the file that was read, not the pattern', async () => {
    const { rejects } = await bench.sync({ 'people-20261122.csv': `${header}1,Ann,x,\n` });
    expect(rejects.map(place)).toEqual([
      ['ValueInvalid', 'people-20261122.csv:2', '1', 'age', 'x', 'age is not a whole number'],
    ]);
    await expect(bench.sync({ 'people-20261123.csv': 'id,name\n1,Ann\n' })).rejects.toMatchObject({
      message: expect.stringContaining('people-20261123.csv has no column “age”, “boss”'),
    });
  });
});

describe('several files as one source', () => {
  const files = {
    'people-north.csv': `${header}1,Ann,30,\n2,Bob,40,9\n\n3,Cyd,x,`,
    'people-south.csv': 'boss,age,name,id\n\n1,20,"Dan\nor so",4\n,1,Eve\n,50,Bob again,2\n',
  };

  test('every kind of reject has its file and line; the rest is stored (S2-10)', async () => {
    bench.configure(all);
    const first = await bench.sync(files);
    expect(first.rejects.map(place)).toEqual([
      [
        'KeyDuplicate',
        'people-north.csv:3',
        '2',
        'id',
        '2',
        'the key is on lines 3 of people-north.csv, 6 of people-south.csv',
      ],
      ['ValueInvalid', 'people-north.csv:5', '3', 'age', 'x', 'age is not a whole number'],
      ['RowMalformed', 'people-south.csv:5', null, null, ',1,Eve', 'has 3 cells, the header has 4'],
      [
        'KeyDuplicate',
        'people-south.csv:6',
        '2',
        'id',
        '2',
        'the key is on lines 3 of people-north.csv, 6 of people-south.csv',
      ],
    ]);
    expect(first.contents.resources['person']).toEqual({
      '1': { id: '1', name: 'Ann', age: 30 },
      '4': { id: '4', name: 'Dan\nor so', age: 20 },
    });
    const again = await bench.sync(files);
    expect(again.changes).toEqual([]);
    expect(again.rejects.map(place)).toEqual(first.rejects.map(place));
  });

  test('a key that is stored and comes again in another file names that line', async () => {
    bench.configure(all);
    const north = `${header}1,Ann,30,\n2,Bob,40,\n`;
    await bench.sync({ 'people-north.csv': north, 'people-south.csv': `${header}4,Dan,20,\n` });
    const { rejects, changes } = await bench.sync({
      'people-north.csv': north,
      'people-south.csv': `${header}4,Dan,20,\n2,Bob again,50,\n`,
    });
    expect(changes).toEqual([]);
    expect(rejects.map(({ file, line, message }) => [file, line, message])).toEqual([
      ['people-north.csv', 3, 'the key is on line 3 of people-south.csv too'],
      ['people-south.csv', 3, 'the key is on another line too'],
    ]);
  });

  test('a row that moves to another file is the same row', async () => {
    bench.configure(all);
    await bench.sync({
      'people-north.csv': `${header}1,Ann,30,\n2,Bob,40,\n`,
      'people-south.csv': `${header}4,Dan,20,\n`,
    });
    const moved = await bench.sync({
      'people-north.csv': `${header}1,Ann,30,\n`,
      'people-south.csv': `${header}4,Dan,20,\n2,Bob,40,\n`,
    });
    expect(moved.changes).toEqual([]);
  });
});

describe('keys', () => {
  const one = (row: string) => ({ 'people-1.csv': `${header}${row}` });

  test('longer than an index of PostgreSQL takes are rejects, not a crash', async () => {
    const long = Array.from({ length: 3000 }, (_, index) => String.fromCodePoint(0x4e00 + index));
    const text = long.join('');
    const { rejects, contents } = await bench.sync(
      one(`${text},Ann,30,\n2,Bob,40,${text}\n3,${text},50,\n4,Dan,20,\n`),
    );
    expect(
      rejects.map(({ code, line, column, value, message }) => [
        code,
        line,
        column,
        value?.length,
        message,
      ]),
    ).toEqual([
      ['ValueInvalid', 2, 'id', 1000, 'id is longer than 1000 bytes'],
      ['ValueInvalid', 3, 'boss', 1000, 'boss is longer than 1000 bytes'],
      [
        'ValueInvalid',
        4,
        'name',
        1000,
        'name is longer than 1500 bytes, which is too long for a searchable property',
      ],
    ]);
    expect(Object.keys(contents.resources['person'] ?? {})).toEqual(['4']);
  });

  test('of the longest kind are stored, with a searchable value as long as can be', async () => {
    const random = (length: number) =>
      Array.from({ length }, (_, index) => String.fromCodePoint(33 + ((index * 7919) % 90)))
        .join('')
        .replaceAll(/[",]/g, 'x');
    const { counts } = await bench.sync(one(`${random(1000)},${random(1500)},30,\n`));
    expect(counts).toMatchObject({ inserted: 1, rejected: 0 });
  });

  test.each([
    ['a zero-width space', 'a\u200bnn', 'id holds a character that cannot be seen (U+200B)'],
    ['a soft hyphen', 'a\u00adnn', 'id holds a character that cannot be seen (U+00AD)'],
    ['typographic quotes', '“ann”', 'id stands in typographic quotes, which quote nothing in CSV'],
  ])('with %s are rejects, and the resource they look like stays', async (_, key, message) => {
    await bench.sync(one('ann,Ann,30,\nbob,Bob,40,\n'));
    const { rejects, changes } = await bench.sync(one(`${key},Ann,31,\nbob,Bob,40,\n`));
    expect(rejects.map(place)).toEqual([
      ['ValueInvalid', 'people-1.csv:2', null, 'id', key, message],
    ]);
    expect(changes).toEqual([]);
  });
});
