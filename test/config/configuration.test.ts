/** A configuration as it is read: names, paths, defaults, the environment, schedules, and limits that must guard. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseConfiguration, readConfiguration } from '../../config/configuration.ts';
import { changed, findings, read, valid } from '../fixtures/configuration-text.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-config-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('a valid file is read: names, paths and defaults', async () => {
  const { configuration } = await read(directory, valid);
  expect(configuration.connectors.get('sab')).toEqual({
    name: 'sab',
    kind: 'csv',
    enabled: true,
    modes: ['complete'],
    directory: join(directory, 'sab'),
    delimiter: 'auto',
    encoding: 'auto',
    schedules: {
      complete: { kind: 'timeOfDay', hour: 2, minute: 0, timezone: 'UTC' },
      incremental: 'never',
    },
    approvers: undefined,
    approvals: 1,
    keepExtractionsDays: 30,
    thresholds: {},
  });
  expect(configuration.entityTypes.get('user')?.properties).toMatchObject([
    { kind: 'scalar', name: 'login', format: { type: 'string' } },
    { kind: 'scalar', name: 'hired', format: { type: 'date', format: 'dd/MM/yyyy' } },
    { kind: 'reference', name: 'boss', references: 'user' },
  ]);
  expect(configuration.associations.get('membership')).toMatchObject({
    from: { property: 'teams' },
  });
});

test.each([
  ['people-*.csv', { file: 'people-*.csv', pick: 'newest' }],
  [{ file: 'people-?.csv' }, { file: 'people-?.csv', pick: 'newest' }],
  [
    { file: 'in/people-*.csv', pick: 'all' },
    { file: 'in/people-*.csv', pick: 'all' },
  ],
  [{ file: 'people.csv' }, { file: 'people.csv' }],
])('a source %j is %j', async (source, options) => {
  const { configuration } = await read(directory, changed('entityTypes.user.source', source));
  const { name, options: found } = configuration.entityTypes.get('user')?.source ?? {};
  expect(found).toEqual(options);
  expect(name).toBe(options.file);
});

test('one pattern is read in one way', async () => {
  const document = parse(changed('entityTypes.user.source', 'a-*.csv'));
  document.entityTypes.team.source = { file: 'a-*.csv', pick: 'all' };
  expect(await findings(directory, stringify(document))).toEqual([
    expect.stringMatching(/entityTypes\.team\.source: is read in another way elsewhere/),
  ]);
});

test.each<[string, number | null]>([
  ['90d', 90],
  ['2w', 14],
  ['forever', null],
])('extractions are kept for %s', async (text, days) => {
  const document = changed('connectors.sab.keepExtractions', text);
  const { configuration } = await read(directory, document);
  expect(configuration.connectors.get('sab')?.keepExtractionsDays).toBe(days);
});

describe('the environment', () => {
  const text = changed('connectors.sab.directory', '$' + '{BASE}/sab');

  test('is put in where the file says so, and kept out of what is stored of it', async () => {
    const { configuration, source } = await read(directory, text, { BASE: '/secret-place' });
    expect(configuration.connectors.get('sab')).toMatchObject({ directory: '/secret-place/sab' });
    expect(JSON.stringify(source)).not.toContain('secret-place');
    const again = parseConfiguration(source, { BASE: '/other' });
    expect(again.connectors.get('sab')).toMatchObject({ directory: '/other/sab' });
    expect(again.version).toBe(configuration.version);
  });

  test('does not change the version, the file does', async () => {
    const [one, two] = [
      await read(directory, text, { BASE: '/a' }),
      await read(directory, text, { BASE: '/b' }),
    ];
    expect(one.source.version).toBe(two.source.version);
    expect((await read(directory, valid)).source.version).not.toBe(one.source.version);
  });
});

describe('limits that leave a kind of change unguarded are refused', () => {
  const both = { maximumDeletedLines: 'unlimited', maxPercentageDeletedLines: 'unlimited' };
  const message =
    'thresholds: leaves a kind of change unguarded: give maximumDeletedLines or maxPercentageDeletedLines a limit';

  test.each(['connectors.sab', 'entityTypes.user', 'associations.membership'])(
    'of %s',
    async (place) => {
      expect((await findings(directory, changed(`${place}.thresholds`, both))).join()).toContain(
        `${place}.${message}`,
      );
    },
  );

  test('also when one half is inherited', async () => {
    const text = parse(changed('connectors.sab.thresholds', { maximumDeletedLines: 'unlimited' }));
    expect(await findings(directory, stringify(text))).toEqual([]);
    text.entityTypes.user.thresholds = { maxPercentageDeletedLines: 'unlimited' };
    expect((await findings(directory, stringify(text))).join()).toContain(
      `entityTypes.user.${message}`,
    );
  });
});

describe('a schedule', () => {
  test.each<[unknown, unknown]>([
    ['never', 'never'],
    [{ every: '30m' }, { kind: 'interval', everyMinutes: 30 }],
    [{ every: '4h' }, { kind: 'interval', everyMinutes: 240 }],
    [{ every: '1d' }, { kind: 'interval', everyMinutes: 1440 }],
    [{ every: '2w' }, { kind: 'interval', everyMinutes: 20_160 }],
    [
      { every: '1d', at: '04:30', timezone: 'Europe/Paris' },
      { kind: 'timeOfDay', hour: 4, minute: 30, timezone: 'Europe/Paris' },
    ],
    [
      { every: '1w', at: '00:00' },
      { kind: 'timeOfDay', hour: 0, minute: 0, timezone: 'UTC', weekday: 'monday' },
    ],
    [
      { every: '1w', at: '23:59', on: 'sunday' },
      { kind: 'timeOfDay', hour: 23, minute: 59, timezone: 'UTC', weekday: 'sunday' },
    ],
  ])('%j', async (written, expected) => {
    const { configuration } = await read(
      directory,
      changed('connectors.sab.schedules', { complete: written }),
    );
    expect(configuration.connectors.get('sab')?.schedules).toEqual({
      complete: expected,
      incremental: 'never',
    });
  });
});

test.each<[string, string, RegExp]>([
  ['a file that is no YAML', 'a: [', /is not YAML/],
  ['an empty file', '', /connectors/],
  ['a list', '- a', /expected object/],
])('%s is refused', async (_, text, message) => {
  await expect(read(directory, text)).rejects.toThrow(message);
});

test('a file that is not there is told by its name', async () => {
  await expect(readConfiguration(join(directory, 'none.yaml'), {})).rejects.toMatchObject({
    code: 'ConfigurationInvalid',
    message: expect.stringContaining('none.yaml cannot be read'),
  });
});
