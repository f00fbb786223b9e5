/** Every check of a configuration, with the message, the place and the nearest name that it tells. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { changed, findings, valid } from '../fixtures/configuration-text.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-config-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a finding is told with its path and message', () => {
  test.each<[path: string, value: unknown, finding: RegExp]>([
    ['connectors.sab.kind', 'csvv', /connectors\.sab\.kind: must be one of csv/],
    ['connectors.sab.directory', undefined, /connectors\.sab\.directory: /],
    [
      'connectors.sab.directroy',
      'x',
      /connectors\.sab\.directroy: is not an option here; did you mean “directory”\?/,
    ],
    ['connectors.sab.delimiter', '::', /connectors\.sab\.delimiter: /],
    ['connectors.sab.encoding', 'latin1', /connectors\.sab\.encoding: /],
    ['connectors.sab.keepExtractions', '0d', /connectors\.sab\.keepExtractions: .*30d, or forever/],
    ['connectors.sab.approvers', [], /connectors\.sab\.approvers: /],
    [
      'connectors.sab.schedules.incremental',
      { every: '4h' },
      /a csv connector, which has no incremental mode; write never, or leave it out/,
    ],
    [
      'connectors.sab.schedules.complete',
      { every: '4x' },
      /an interval is a number and m, h, d or w, as in 4h or 1d/,
    ],
    [
      'connectors.sab.schedules.complete',
      { every: '1d', at: '25:00' },
      /a time of day is written HH:MM/,
    ],
    [
      'connectors.sab.schedules.complete',
      { every: '1d', at: '2:00', timezone: 'Paris' },
      /a time of day is written HH:MM/,
    ],
    [
      'connectors.sab.schedules.complete',
      { every: '1d', at: '02:00', timezone: 'Europe/Pari' },
      /“Europe\/Pari” is not an IANA time zone such as Europe\/Paris/,
    ],
    [
      'connectors.sab.schedules.complete',
      { every: '4h', at: '02:00' },
      /complete\.at: goes with every: 1d or every: 1w only/,
    ],
    [
      'connectors.sab.schedules.complete',
      { every: '1d', at: '02:00', on: 'monday' },
      /complete\.on: goes with every: 1w only/,
    ],
    [
      'connectors.sab.schedules.complete',
      { every: '4h', on: 'monday' },
      /complete\.on: has a meaning only together with `at`/,
    ],
    [
      'connectors.sab.schedules.complete',
      'nightly',
      /must be a number or unlimited, or for a schedule \{ every: … \} or never/,
    ],
    [
      'connectors.sab.thresholds.maximumDeletedLine',
      5,
      /is not an option here; did you mean “maximumDeletedLines”\?/,
    ],
    ['connectors.sab.thresholds.maximumDeletedLines', -1, /thresholds\.maximumDeletedLines: /],
    ['connectors.sab.thresholds.maximumDeletedLines', 1.5, /thresholds\.maximumDeletedLines: /],
    ['connectors.sab.thresholds.percentageFloor', 101, /thresholds\.percentageFloor: /],
    [
      'entityTypes.user.connector',
      'sap',
      /entityTypes\.user\.connector: there is no connector “sap”; did you mean “sab”\?/,
    ],
    ['entityTypes.user.connector', 'crm1', /there is no connector “crm1”; there is sab/],
    [
      'entityTypes.user.source',
      '../users.csv',
      /entityTypes\.user\.source: must be a file within the directory of its connector/,
    ],
    [
      'entityTypes.user.source',
      'in*/a.csv',
      /\* and \? stand in the name of a file, not of its folder/,
    ],
    [
      'entityTypes.user.source',
      { file: 'a.csv', pick: 'all' },
      /entityTypes\.user\.source\.pick: has no meaning without \* or \?/,
    ],
    [
      'entityTypes.user.source',
      { file: 'a-*.csv', pick: 'last' },
      /entityTypes\.user\.source\.pick: /,
    ],
    [
      'entityTypes.user.source',
      { file: 'a.csv', sheet: 'Staff' },
      /entityTypes\.user\.source\.sheet: has a meaning only for an xlsx connector/,
    ],
    [
      'associations.membership.source',
      { file: '../a-*.csv', pick: 'all' },
      /must be a file within the directory/,
    ],
    ['connectors.sab.settle', -1, /connectors\.sab\.settle: /],
    ['entityTypes.user.source', '/etc/passwd', /must be a file within the directory/],
    ['entityTypes.user.source', 'a\\..\\..\\b', /must be a file within the directory/],
    ['entityTypes.user.key', undefined, /entityTypes\.user\.key: /],
    [
      'entityTypes.user.key',
      'logni',
      /entityTypes\.user\.key: “logni” is not a property of user; did you mean “login”\?/,
    ],
    ['entityTypes.user.key', 'boss', /the key must be a scalar property, not a reference/],
    ['entityTypes.user.properties.9x', { column: 'x' }, /a name starts with a letter/],
    ['entityTypes.user.properties.x', {}, /properties\.x: needs either a column or an expression/],
    [
      'entityTypes.user.properties.x',
      { column: 'x', expression: 'y' },
      /needs either a column or an expression/,
    ],
    ['entityTypes.user.properties.x', { column: 'x', type: 'dat' }, /properties\.x\.type: /],
    [
      'entityTypes.user.properties.x',
      { column: 'x', fromat: 'x' },
      /is not an option here; did you mean “format”\?/,
    ],
    [
      'entityTypes.user.properties.x',
      { column: 'x', format: 'dd' },
      /x\.format: has no meaning for type string/,
    ],
    [
      'entityTypes.user.properties.x',
      { column: 'x', type: 'date', timezone: 'UTC' },
      /x\.timezone: has no meaning for type date/,
    ],
    [
      'entityTypes.user.properties.x',
      { column: 'x', type: 'date', format: 'dd/MM/yy' },
      /x\.format: “yy” does not say the century/,
    ],
    [
      'entityTypes.user.properties.x',
      { column: 'x', type: 'datetime', timezone: 'Mars' },
      /x\.timezone: .*Mars/,
    ],
    [
      'entityTypes.user.properties.x',
      { column: 'x', type: 'number', decimalSeparator: ',', groupSeparator: ',' },
      /decimalSeparator and groupSeparator are the same/,
    ],
    [
      'entityTypes.user.properties.x',
      { column: 'x', type: 'number', groupSeparator: '.' },
      /decimalSeparator and groupSeparator are the same/,
    ],
    [
      'entityTypes.user.properties.x',
      { column: 'x', references: 'usr' },
      /x\.references: there is no entity type “usr”; did you mean “user”\?/,
    ],
    [
      'entityTypes.user.properties.x',
      { column: 'x', references: 'user', type: 'string' },
      /x\.type: a reference takes the type of the key it refers to/,
    ],
    [
      'entityTypes.user.properties.x',
      { expression: 'a &' },
      /x\.expression: is not JSONata: .*\(at character \d+\)/,
    ],
    [
      'entityTypes.user.properties.x',
      { expression: '$now()' },
      /\$now\(\) gives another value at every run/,
    ],
    [
      'entityTypes.user.properties.x',
      { expression: '$string($random())' },
      /\$random\(\) gives another value/,
    ],
    [
      'associations.membership.connector',
      'sap',
      /associations\.membership\.connector: there is no connector “sap”; did you mean “sab”\?/,
    ],
    [
      'associations.membership.from.entityType',
      'usr',
      /membership\.from\.entityType: there is no entity type “usr”; did you mean “user”\?/,
    ],
    [
      'associations.membership.from.property',
      'boss',
      /membership\.from\.property: user already has a property “boss”/,
    ],
    ['associations.membership.source', '../x.csv', /must be a file within the directory/],
    [
      'associations.second',
      { ...parse(valid).associations.membership },
      /associations\.second\.from\.property: membership already gives user a “teams”/,
    ],
    ['entityTypess', {}, /entityTypess: is not an option here; did you mean “entityTypes”\?/],
  ])('%s: %j', async (path, value, finding) => {
    const found = await findings(directory, changed(path, value));
    expect(found.join('\n')).toMatch(finding);
  });
});

test('several findings are told at once, each with its line', async () => {
  const text = valid
    .replace('key: login', 'key: logni')
    .replace('key: code', 'key: cod')
    .replace('references: user', 'references: usr')
    .replace('entityType: team', 'entityType: tem');
  expect(await findings(directory, text)).toEqual([
    '13  entityTypes.user.properties.boss.references: there is no entity type “usr”; did you mean “user”?',
    '9  entityTypes.user.key: “logni” is not a property of user; did you mean “login”?',
    '17  entityTypes.team.key: “cod” is not a property of team; did you mean “code”?',
    '25  associations.membership.to.entityType: there is no entity type “tem”; did you mean “team”?',
  ]);
});

test('what the shape and what the environment lack is told together', async () => {
  const text = changed('connectors.sab.directory', '$' + '{SAB_DIRECTORY}').replace(
    'key: code',
    'kee: code',
  );
  const found = (await findings(directory, text)).join('\n');
  expect(found).toContain(
    'connectors.sab.directory: the environment variable SAB_DIRECTORY is not set',
  );
  expect(found).toContain('entityTypes.team.kee: is not an option here; did you mean “key”?');
});
