/** The look before a run on other kinds of sources than a file: tables of a database, drop folders, several files as one. */
import { expect, test } from 'vitest';
import type { ConfigurationDocument, SourceDocument } from '../../config/document.ts';
import type { CheckFact } from '../../engine/check-fact.ts';
import { databaseConfiguration, openPeopleDatabase } from '../support/people-database.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

async function findings(bench: SyncBench, connector: string): Promise<CheckFact[]> {
  const facts = await bench.run('checkSources', { connector, configurationFile: null });
  return facts.filter(({ fact }) => fact !== 'source-read' && fact !== 'data-read');
}

test('tables of a database: columns that are missing, tables that are, and rows that cannot be used', async () => {
  await using people = await openPeopleDatabase();
  await people.reset();
  expect(await findings(people.bench, 'hr')).toEqual([]);

  await people.client.query(
    `insert into person (login, age, boss) values ('dan', 'old', 'zoe'), ('ada', '1', null)`,
  );
  const data = (await findings(people.bench, 'hr')) as { code: string; column: string }[];
  expect(data.map(({ code, column }) => `${code} ${column}`).sort()).toEqual([
    'KeyDuplicate login',
    'ValueInvalid age',
  ]);
  expect(JSON.stringify(data)).not.toContain('dan');

  await people.client.query('alter table person rename age to years; drop table member');
  expect(await findings(people.bench, 'hr')).toMatchObject([
    { fact: 'source-failed', message: expect.stringContaining('member') },
    {
      fact: 'column-missing',
      scope: 'person',
      property: 'age',
      headings: expect.arrayContaining(['years']),
    },
    { fact: 'data-passed-over' },
  ]);
  // Nothing was written to either side.
  const { rows } = await people.bench.store.pool.query('select count(*)::int as jobs from job');
  expect(rows).toEqual([{ jobs: 0 }]);
});

test('a database that is down is one finding for each of its sources, without its password', async () => {
  const url = 'postgresql://reader:secret-word@127.0.0.1:1/none';
  await using bench = await openSyncBench(databaseConfiguration(), { HR_URL: url });
  const found = await findings(bench, 'hr');
  expect(found).toMatchObject([
    { fact: 'source-failed', code: 'SourceUnavailable' },
    { fact: 'source-failed', code: 'SourceUnavailable' },
    { fact: 'source-failed', code: 'SourceUnavailable' },
    { fact: 'data-passed-over' },
  ]);
  expect(JSON.stringify(found)).not.toContain('secret-word');
});

test('of files that are found by a pattern the file is named that was read, with its own lines', async () => {
  const configuration = (source: SourceDocument): ConfigurationDocument => ({
    connectors: { sab: { kind: 'csv', directory: './sab', settle: 0 } },
    entityTypes: {
      person: {
        connector: 'sab',
        source,
        key: 'id',
        properties: { id: { column: 'id' }, age: { column: 'age', type: 'integer' } },
      },
    },
  });
  await using bench = await openSyncBench(configuration('people-*.csv'));
  await bench.write({
    'people-20261121.csv': 'id,age\n1,old\n',
    'people-20261122.csv': 'id,age\n1,30\n2,new\n',
  });
  expect(await findings(bench, 'sab')).toMatchObject([
    { code: 'ValueInvalid', places: [{ file: 'people-20261122.csv', line: 3 }] },
  ]);
  bench.configure(configuration({ file: 'people-*.csv', pick: 'all' }));
  await bench.write({
    'people-a.csv': 'id,age\n1,old\n',
    'people-b.csv': 'id,age\n2,3\n1,4\n3,new\n',
  });
  const places = (await findings(bench, 'sab')).map((fact) => 'places' in fact && fact.places);
  expect(places).toEqual([
    [
      { file: 'people-a.csv', line: 2 },
      { file: 'people-b.csv', line: 4 },
    ],
  ]);
});
