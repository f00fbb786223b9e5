/** SQL connectors in the configuration: addresses, tables and queries, modes, and what is said of mistakes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { findings, read } from '../fixtures/configuration-text.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-config-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const environment = { HR_DATABASE_URL: 'postgresql://sync:s3cret@hr/db', HR_PASSWORD: 's3cret' };
const url = '$' + '{HR_DATABASE_URL}';

interface Written {
  readonly connector?: object;
  readonly source?: unknown;
  readonly team?: unknown;
  readonly links?: unknown;
}

/** A configuration of a database with two tables and one of links. */
function written({ connector = {}, source = 'hr.person', team = 'team', links }: Written = {}) {
  const name = { name: { column: 'name' } };
  return stringify({
    connectors: { hr: { kind: 'sql', url, ...connector } },
    entityTypes: {
      person: {
        connector: 'hr',
        source,
        key: 'id',
        properties: { id: { column: 'person_id' }, since: { column: 'since', type: 'datetime' } },
      },
      team: { connector: 'hr', source: team, key: 'name', properties: name },
    },
    associations: {
      member: {
        connector: 'hr',
        source: links ?? 'member',
        from: { entityType: 'person', property: 'teams', column: 'p' },
        to: { entityType: 'team', property: 'members', column: 't' },
      },
    },
  });
}

const found = (options: Written) => findings(directory, written(options), environment);
const configured = async (options: Written = {}) =>
  (await read(directory, written(options), environment)).configuration;

test('a table and a query become sources with the columns of their keys', async () => {
  const query = 'select * from member';
  const { entityTypes, associations } = await configured({
    source: { table: 'hr."odd.name"', watermark: 'updated_at', overlap: '15m', deleted: 'gone' },
    links: { query, watermark: 'version', overlap: 500 },
  });
  expect(entityTypes.get('person')?.source).toEqual({
    name: 'hr."odd.name"',
    options: {
      relation: { table: ['hr', 'odd.name'] },
      watermark: { column: 'updated_at', overlap: { seconds: 900 } },
      deleted: 'gone',
      identity: ['person_id'],
    },
  });
  expect(associations.get('member')?.source).toEqual({
    name: 'query of member',
    options: {
      relation: { query },
      watermark: { column: 'version', overlap: { versions: 500 } },
      identity: ['p', 't'],
    },
  });
  expect(entityTypes.get('team')?.source).toEqual({
    name: 'team',
    options: { relation: { table: ['team'] } },
  });
});

test('times of a database need no format', async () => {
  const { entityTypes } = await configured();
  const since = entityTypes.get('person')?.properties.find(({ name }) => name === 'since');
  expect(since).toMatchObject({ format: { format: 'ISO 8601', timezone: 'UTC' } });
});

describe('incremental', () => {
  test('is a mode of a connector of which a source has a watermark, every four hours', async () => {
    const { connectors } = await configured({ links: { table: 'member', watermark: 'xmin' } });
    expect(connectors.get('hr')).toMatchObject({
      modes: ['complete', 'incremental'],
      schedules: { incremental: { kind: 'interval', everyMinutes: 240 } },
    });
  });

  test('is none of a connector without one, which then cannot have a schedule for it', async () => {
    const { connectors } = await configured();
    expect(connectors.get('hr')).toMatchObject({
      modes: ['complete'],
      schedules: { incremental: 'never' },
    });
    expect(await found({ connector: { schedules: { incremental: { every: '1h' } } } })).toEqual([
      expect.stringMatching(/schedules\.incremental: .*none of whose sources has a watermark/),
    ]);
  });
});

describe('the address', () => {
  test('is not kept, and no finding shows it', async () => {
    const { source } = await read(directory, written(), environment);
    expect(JSON.stringify(source)).not.toContain('s3cret');
    const wrong = { HR_DATABASE_URL: 'mysql://sync:s3cret@hr/db' };
    const said = await findings(directory, written(), wrong);
    expect(said).toEqual([expect.stringMatching(/hr\.url: an address begins with postgresql:/)]);
    expect(said.join()).not.toContain('s3cret');
  });

  test.each([
    'postgresql://sync:s3cret@hr/db',
    'postgresql://hr/db?password=s3cret',
    'postgresql://sync:s3cret$' + '{HR_PASSWORD}@hr/db',
  ])('must not hold a password in the file: %s', async (address) => {
    const said = await found({ connector: { url: address } });
    expect(said).toEqual([expect.stringMatching(/hr\.url: holds a password/)]);
    expect(said.join()).not.toContain('s3cret');
  });

  test.each([
    'postgresql://sync@hr/db?sslmode=verify-full',
    'postgresql://sync:$' + '{HR_PASSWORD}@hr/db',
  ])('may stand in the file without it: %s', async (address) => {
    expect(await found({ connector: { url: address } })).toEqual([]);
  });
});

describe('a mistake is told', () => {
  test.each<[string, Written, RegExp]>([
    [
      'both',
      { source: { table: 'a', query: 'select 1' } },
      /source: needs either a table or a query/,
    ],
    ['neither', { source: { deleted: 'x' } }, /source: needs either a table or a query/],
    ['overlap alone', { source: { table: 'a', overlap: '5m' } }, /overlap: has a meaning only/],
    ['three parts', { source: 'a.b.c' }, /source: must be a table, as in person or hr\.person/],
    ['a quote', { source: { table: 'a".b' } }, /table: must be a table/],
    [
      'a typo',
      { source: { table: 'a', watermrk: 'x' } },
      /watermrk: is not an option here; did you mean “watermark”/,
    ],
    ['a number', { source: 5 }, /source: must be the name of a file or table, or/],
    [
      'an overlap',
      { source: { table: 'a', watermark: 'v', overlap: '5x' } },
      /overlap: an overlap is a number/,
    ],
    ['a timeout', { connector: { timeout: '5' } }, /timeout: a time is a number and s, m or h/],
    [
      'one table read in two ways',
      { source: { table: 'team', deleted: 'gone' } },
      /team\.source: is read in another way elsewhere/,
    ],
  ])('%s', async (_, options, finding) => {
    expect(await found(options)).toContainEqual(expect.stringMatching(finding));
  });

  test('a file connector has no tables', async () => {
    const text = written({ source: { table: 'a' } }).replace('kind: sql', 'kind: csv');
    expect(
      await findings(directory, text.replace(`url: ${url}`, 'directory: x'), environment),
    ).toEqual([
      expect.stringMatching(/person\.source: must be the name of a file; only a sql connector/),
    ]);
  });
});
