// Proves that the committed SAB example is what its generator writes and yields what it promises.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import expected from '../../examples/sab/expected-counts.json' with { type: 'json' };
import { generateExample } from '../../examples/sab/generate.ts';

const example = path.resolve(import.meta.dirname, '../../examples/sab');

type Row = Record<string, string>;
interface Store {
  resources: Record<string, Map<string, string>>;
  links: Record<string, Set<string>>;
}
interface Day {
  store: Store;
  rows: Record<string, number>;
  rejects: { code: string; file: string; line: number; key: string; column: string }[];
}

/** What the files of a day should leave in the store: a second, naive reading of DESIGN's rules. */
async function readDay(day: string): Promise<Day> {
  const read = async (file: string) =>
    parse(await readFile(path.join(example, day, file)), {
      columns: true,
      info: true,
    }) as unknown as { record: Row; info: { lines: number } }[];
  const [organisations, users, groups, memberships] = await Promise.all(
    ['organisations.csv', 'users.csv', 'groups.csv', 'memberships.csv'].map(read),
  );
  if (!organisations || !users || !groups || !memberships) throw new Error(`no files of ${day}`);
  const rejects: Day['rejects'] = [];

  const ids = users.map(({ record }) => record['user_id'] ?? '');
  const usable = users.filter(({ record, info }) => {
    const key = record['user_id'] ?? '';
    const [date = 0, month = 0, year = 0] = (record['hire_date'] ?? '').split('/').map(Number);
    const twice = ids.indexOf(key) !== ids.lastIndexOf(key);
    const wrongDate = new Date(Date.UTC(year, month - 1, date)).getUTCDate() !== date;
    const at = { file: 'users.csv', line: info.lines, key };
    if (twice) rejects.push({ code: 'KeyDuplicate', ...at, column: 'user_id' });
    if (wrongDate) rejects.push({ code: 'ValueInvalid', ...at, column: 'hire_date' });
    return !twice && !wrongDate;
  });

  const scalars = (rows: { record: Row }[], key: string, columns: string[]) =>
    new Map(
      rows.map(({ record }) => [
        record[key] ?? '',
        JSON.stringify(columns.map((column) => record[column])),
      ]),
    );
  const resources = {
    sab_organisation: scalars(organisations, 'code', ['name']),
    sab_user: scalars(usable, 'user_id', [
      ...['last_name', 'first_name', 'email', 'hire_date', 'status', 'job_title', 'phone'],
    ]),
    sab_group: scalars(groups, 'code', ['label', 'description']),
  };

  const links = (
    rows: { record: Row; info: { lines: number } }[],
    file: string,
    [from, to]: [string, string],
    [known, targets]: [Map<string, string>, Map<string, string>],
  ) => {
    const found = new Set<string>();
    for (const { record, info } of rows) {
      const [source = '', target = ''] = [record[from], record[to]];
      if (target === '') continue;
      const missing = known.has(source) ? (targets.has(target) ? undefined : to) : from;
      if (missing === undefined) found.add(`${source} → ${target}`);
      else {
        const at = { file, line: info.lines, key: source };
        rejects.push({ code: 'ReferenceUnknown', ...at, column: missing });
      }
    }
    return found;
  };
  const { sab_organisation, sab_user, sab_group } = resources;
  return {
    store: {
      resources,
      links: {
        'sab_organisation.parent': links(
          organisations,
          'organisations.csv',
          ['code', 'parent_code'],
          [sab_organisation, sab_organisation],
        ),
        'sab_user.organisation': links(
          usable,
          'users.csv',
          ['user_id', 'org_code'],
          [sab_user, sab_organisation],
        ),
        'sab_user.manager': links(
          usable,
          'users.csv',
          ['user_id', 'manager_id'],
          [sab_user, sab_user],
        ),
        'sab_user.groups': links(
          memberships,
          'memberships.csv',
          ['user_id', 'group_code'],
          [sab_user, sab_group],
        ),
      },
    },
    rows: {
      'organisations.csv': organisations.length,
      'users.csv': users.length,
      'groups.csv': groups.length,
      'memberships.csv': memberships.length,
    },
    rejects,
  };
}

const nothing: Store = { resources: {}, links: {} };

function countsBetween(before: Store, after: Store) {
  const entityTypes = Object.entries(after.resources).map(([name, incoming]) => {
    const stored = before.resources[name] ?? new Map<string, string>();
    const kept = [...incoming.keys()].filter((key) => stored.has(key));
    const updated = kept.filter((key) => stored.get(key) !== incoming.get(key)).length;
    const counts = {
      base: stored.size,
      unchanged: kept.length - updated,
      inserted: incoming.size - kept.length,
      updated,
      deleted: stored.size - kept.length,
    };
    return [name, counts] as const;
  });
  const links = Object.entries(after.links).map(([name, incoming]) => {
    const stored = before.links[name] ?? new Set<string>();
    const single = name !== 'sab_user.groups';
    const source = (link: string) => link.split(' → ')[0];
    const gone = [...stored].filter((link) => !incoming.has(link));
    const come = [...incoming].filter((link) => !stored.has(link));
    // Only a single-valued navigation property has updated links: A gives way to B.
    const updated = single
      ? come.filter((link) => gone.some((old) => source(old) === source(link))).length
      : 0;
    const counts = {
      base: stored.size,
      inserted: come.length - updated,
      updated,
      deleted: gone.length - updated,
    };
    return [name, counts] as const;
  });
  return { entityTypes: Object.fromEntries(entityTypes), links: Object.fromEntries(links) };
}

test('the committed files are what the generator writes, byte for byte', async () => {
  const generated = generateExample();
  const committed = await readdir(example, { recursive: true });
  expect(committed.filter((name) => name.endsWith('.csv')).sort()).toEqual(
    Object.keys(generated).sort(),
  );
  for (const [name, text] of Object.entries(generated)) {
    expect(await readFile(path.join(example, name), 'utf8'), name).toBe(text);
  }
  expect(generateExample()).toEqual(generated);
});

describe('the promised counts', () => {
  test('day 1 into an empty store', async () => {
    const { store, rows, rejects } = await readDay('day-1');
    expect({ rows, rejects, ...countsBetween(nothing, store) }).toEqual(expected['day-1']);
  });

  test('day 2 after day 1', async () => {
    const [first, second] = await Promise.all(['day-1', 'day-2'].map(readDay));
    const { rows, rejects } = second ?? {};
    const counts = countsBetween(first?.store ?? nothing, second?.store ?? nothing);
    expect({ rows, rejects, ...counts }).toEqual(expected['day-2']);
  });

  test('day 2 stays below every default limit', () => {
    for (const counts of [
      ...Object.values(expected['day-2'].entityTypes),
      ...Object.values(expected['day-2'].links),
    ]) {
      // Ten planned lines are the floor below which no percentage is judged.
      expect(Math.max(counts.inserted, counts.updated, counts.deleted)).toBeLessThanOrEqual(10);
    }
  });

  test('the swapped headers would change every user of day 2', async () => {
    const [second, swapped] = await Promise.all(['day-2', 'bad-days/swapped-headers'].map(readDay));
    const counts = countsBetween(second?.store ?? nothing, swapped?.store ?? nothing);
    expect(counts.entityTypes['sab_user']).toEqual({
      ...{ base: 240, unchanged: 0, inserted: 0, updated: 240, deleted: 0 },
    });
  });
});

test('the files hold what makes reading them hard', async () => {
  const [users, groups, organisations] = await Promise.all(
    ['users.csv', 'groups.csv', 'organisations.csv'].map((name) =>
      readFile(path.join(example, 'day-1', name), 'utf8'),
    ),
  );
  expect(users).toMatch(/D'Almeida|O'Brien/);
  expect(users).toMatch(/"Cheffe d'équipe, poste de nuit"/);
  expect(groups).toMatch(/chaque trimestre\nResponsable/);
  expect(organisations).toContain('"SAB Ibérica ""Sur"", Málaga"');
  const { store } = await readDay('day-1');
  const managers = store.links['sab_user.manager'] ?? new Set();
  const circles = [...managers].filter((link) =>
    managers.has(link.split(' → ').toReversed().join(' → ')),
  );
  expect(circles).toHaveLength(2);
  expect(store.resources['sab_user']?.size).toBe(managers.size + 1);
});

test('every column the configuration maps is in its file', async () => {
  const model = parseYaml(await readFile(path.join(example, 'lockstep.yaml'), 'utf8'));
  for (const { source, properties } of Object.values(model.entityTypes) as never[] as {
    source: string;
    properties: Record<string, { column?: string }>;
  }[]) {
    const header = (await readFile(path.join(example, 'day-1', source), 'utf8')).split('\n')[0];
    const columns = Object.values(properties).flatMap(({ column }) => column ?? []);
    expect(header?.split(',')).toEqual(expect.arrayContaining(columns));
  }
});
