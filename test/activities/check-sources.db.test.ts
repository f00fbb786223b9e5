/** The look at sources before a run: what it finds, in which order, and that it leaves nothing behind. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EntityTypeDocument } from '../../config/document.ts';
import { type CheckFact, isFine } from '../../engine/check-fact.ts';
import {
  type PeopleRows,
  peopleConfiguration,
  peopleFiles,
  usualRows,
} from '../fixtures/people.ts';
import { type Files, openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

const [ada, bob, cyd] = usualRows.people;

async function check(files: Files, connector = 'sab'): Promise<CheckFact[]> {
  await bench.write(files, connector);
  return await bench.run('checkSources', { connector, configurationFile: null });
}

/** What a look finds beside what is fine. */
async function findings(files: Files, connector?: string): Promise<CheckFact[]> {
  const facts = await check(files, connector);
  return facts.filter(({ fact }) => fact !== 'source-read' && fact !== 'data-read');
}

const data = (rows: PeopleRows) => findings(peopleFiles(rows));

test('of sources as they are mapped it counts the rows, and leaves neither extraction, job nor change', async () => {
  const facts = await check(peopleFiles());
  expect(facts.map(({ fact }) => fact)).toEqual([
    ...Array(4).fill('source-read'),
    ...Array(4).fill('data-read'),
  ]);
  expect(facts.at(-1)).toEqual({
    fact: 'data-read',
    scope: 'membership',
    source: 'memberships.csv',
    rows: usualRows.memberships.length,
  });
  expect(await readdir(join(bench.extractions, 'sab'))).toEqual([]);
  const { rows } = await bench.store.pool.query(
    'select (select count(*) from job) + (select count(*) from entity_type) + (select count(*) from delta) as left',
  );
  expect(rows).toEqual([{ left: '0' }]);
});

describe('sources', () => {
  const passedOver = { fact: 'data-passed-over' };

  test('every one that is missing, blank or only a header is named, and the others are looked at', async () => {
    const files = peopleFiles();
    const found = await check({
      ...Object.fromEntries(Object.entries(files).filter(([name]) => name !== 'people.csv')),
      'teams.csv': '',
      'memberships.csv': 'person,team\n',
    });
    expect(found).toMatchObject([
      { fact: 'source-read', source: 'organisations.csv' },
      { fact: 'source-failed', source: 'people.csv', code: 'SourceUnavailable' },
      { fact: 'source-failed', source: 'teams.csv', code: 'SourceEmpty' },
      { fact: 'source-failed', source: 'memberships.csv', code: 'SourceEmpty' },
      passedOver,
    ]);
  });

  test('a column that is missing is named with its property and what the header has', async () => {
    const files = peopleFiles();
    const text = String(files['people.csv']).replace('hired', 'hired_on');
    expect(await findings({ ...files, 'people.csv': text })).toEqual([
      {
        fact: 'column-missing',
        source: 'people.csv',
        scope: 'person',
        property: 'hired',
        column: 'hired',
        headings: ['id', 'name', 'hired_on', 'age', 'org', 'boss'],
      },
      passedOver,
    ]);
  });

  test('a first line that is nobody’s header is not repeated: it may be a person', async () => {
    const files = peopleFiles();
    const [, ...rows] = String(files['people.csv']).split('\n');
    const found = await findings({ ...files, 'people.csv': rows.join('\n') });
    expect(found).toHaveLength(7);
    expect(JSON.stringify(found)).not.toContain('Ada');
  });

  test('a mapped heading that is there twice is named, of an association too', async () => {
    const files = peopleFiles();
    const text = 'person,team,team\nada,red,red\n';
    expect(await findings({ ...files, 'memberships.csv': text })).toEqual([
      {
        fact: 'column-repeated',
        source: 'memberships.csv',
        scope: 'membership',
        property: 'to',
        column: 'team',
        headings: [],
      },
      passedOver,
    ]);
  });

  test('a connector that the worker’s configuration does not have is refused', async () => {
    await expect(check(peopleFiles(), 'hr')).rejects.toMatchObject({ type: 'NotFound' });
  });
});

test('a run of a connector to which nothing is mapped fails before it exports', async () => {
  const document = peopleConfiguration();
  bench.configure({
    ...document,
    connectors: { ...document.connectors, hr: { kind: 'csv', directory: './hr' } },
  });
  await expect(bench.prepare({}, 'hr')).rejects.toMatchObject({
    type: 'ConfigurationInvalid',
    message: 'no entity type is mapped to connector hr, so there is nothing to export',
  });
  await expect(readdir(join(bench.extractions, 'hr'))).rejects.toMatchObject({ code: 'ENOENT' });
});

describe('data', () => {
  test('a key that is blank or comes again', async () => {
    expect(await data({ people: [ada, bob, ada.replace('Ada', 'Eve'), bob, cyd] })).toEqual([
      problem('person', 'people.csv', 'KeyDuplicate', 'id', [4, 5]),
    ]);
    expect(await data({ people: [ada, bob, cyd, cyd.replace('cyd', ' ')] })).toEqual([
      problem('person', 'people.csv', 'KeyMissing', 'id', [5]),
    ]);
  });

  test('keys that only look alike are told, and stand in no run’s way', async () => {
    const found = await check({
      ...peopleFiles(),
      'people.csv': `id,name,hired,age,org,boss\n${[ada, bob, cyd, ada.replace('ada', 'Ada'), 'ré,A,,,,', 're\u0301,B,,,,', 'a  b,C,,,,', 'a b,D,,,,'].join('\n')}\n`,
      'memberships.csv': 'person,team\nada,dev\n',
    });
    const people = found.filter((each) => 'scope' in each && each.scope === 'person');
    expect(people).toEqual([
      { fact: 'data-read', scope: 'person', source: 'people.csv', rows: 8 },
      problem('person', 'people.csv', 'KeysAlike', 'id', [5, 7, 9]),
    ]);
    expect(found.every(isFine)).toBe(true);
  });

  test('values that do not convert, counted by column with the first five lines', async () => {
    const bad = Array.from({ length: 7 }, (_, index) => `x${index},X,31/02/2020,old,,`);
    const found = await data({ people: [ada, bob, cyd, ...bad, 'y,Y,01/01/2020,old,,'] });
    expect(found).toEqual([
      { ...problem('person', 'people.csv', 'ValueInvalid', 'hired', [5, 6, 7, 8, 9]), rows: 7 },
      problem('person', 'people.csv', 'ValueInvalid', 'age', [12]),
    ]);
    expect(JSON.stringify(found)).not.toContain('31/02');
  });

  test('a row of another width, and one whose quoting is broken', async () => {
    expect(await data({ people: [ada, bob, cyd, 'x,X', 'y,Y"half,,,,'] })).toEqual([
      problem('person', 'people.csv', 'RowMalformed', null, [5, 6]),
    ]);
  });

  test('references to what is nowhere, whichever comes first in the source', async () => {
    expect(
      await data({
        // Bob comes after who refers to him; nobody is dan or the organisation XX.
        people: [
          ada.replace(/[^,]*$/, 'bob'),
          cyd.replace(/[^,]*$/, 'dan'),
          bob,
          'eve,Eve,,,XX,ada',
        ],
        memberships: ['ada,dev', 'zoe,dev', 'ada,nowhere'],
      }),
    ).toEqual([
      problem('person', 'people.csv', 'ReferenceUnknown', 'boss', [3]),
      problem('person', 'people.csv', 'ReferenceUnknown', 'org', [5]),
      problem('membership', 'memberships.csv', 'ReferenceUnknown', 'person', [3]),
      problem('membership', 'memberships.csv', 'ReferenceUnknown', 'team', [4]),
    ]);
  });

  test('what was loaded once and is gone from the sources is not there to refer to', async () => {
    await bench.sync(peopleFiles());
    expect(await data({ people: [ada, bob], memberships: ['cyd,dev'] })).toMatchObject([
      { code: 'ReferenceUnknown', column: 'person', places: [{ line: 2 }] },
    ]);
  });

  test('references to another connector’s resources are looked for in the store', async () => {
    const { connectors, entityTypes, associations } = peopleConfiguration();
    const document = {
      connectors: { ...connectors, hr: { kind: 'csv', directory: './hr' } as const },
      entityTypes: {
        ...entityTypes,
        contract: {
          connector: 'hr',
          source: 'contracts.csv',
          key: 'number',
          properties: {
            number: { column: 'number', type: 'integer' as const },
            holder: { column: 'holder', references: 'person' },
          },
        },
      },
      ...(associations && { associations }),
    };
    bench.configure(document);
    const contracts = { 'contracts.csv': 'number,holder\n1,ada\n2,nobody\n3,bob\n' };
    // The store has never heard of anybody.
    expect(await findings(contracts, 'hr')).toMatchObject([
      { rows: 3, places: [{ line: 2 }, { line: 3 }, { line: 4 }] },
    ]);
    await bench.sync(peopleFiles());
    expect(await findings(contracts, 'hr')).toEqual([
      problem('contract', 'contracts.csv', 'ReferenceUnknown', 'holder', [3]),
    ]);
  });

  test('an expression that fails is counted, one that hangs ends the look with its name', async () => {
    const document = peopleConfiguration();
    const person = document.entityTypes['person'] as EntityTypeDocument;
    const withExpression = (expression: string) =>
      bench.configure({
        ...document,
        entityTypes: {
          ...document.entityTypes,
          person: { ...person, properties: { ...person.properties, level: { expression } } },
        },
      });
    withExpression('$number(name)');
    expect(await data({ people: [ada] })).toMatchObject([
      { code: 'ValueInvalid', column: 'level', places: [{ line: 2 }] },
      {},
    ]);
    withExpression('$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)');
    await expect(data({ people: [ada] })).rejects.toMatchObject({
      type: 'ExpressionTimedOut',
      message: expect.stringContaining('person.level'),
    });
    const left = await readdir(join(bench.extractions, 'sab'));
    expect(left.filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  function problem(
    scope: string,
    source: string,
    code: string,
    column: string | null,
    lines: readonly number[],
  ) {
    return {
      fact: 'data-problem',
      scope,
      source,
      code,
      column,
      rows: lines.length,
      places: lines.map((line) => ({ file: source, line })),
    };
  }
});
