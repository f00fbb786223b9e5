/** References and memberships: links that move, wait for their target, heal, and go with it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

const [ada, bob, cyd] = usualRows.people;
const of = (row: string, org: string, boss: string) =>
  [...row.split(',').slice(0, 4), org, boss].join(',');

describe('a single-valued reference', () => {
  test('from A to B is one link updated and no line', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(peopleFiles({ people: [of(ada, 'HQ', 'bob'), bob, cyd] }));
    expect(job.counts).toMatchObject({ updated: 0, unchanged: 7, linksUpdated: 1 });
    expect(job.counts).toMatchObject({ linksInserted: 0, linksDeleted: 0 });
    expect(job.changes).toEqual([
      {
        association: 'person.organisation',
        property: 'organisation',
        from: 'ada',
        to: 'HQ',
        previous: 'RD',
        change: 'update',
      },
    ]);
    expect(job.contents.links['person.organisation']).toContain('ada → HQ');
  });

  test('from A to blank is deleted, from blank to A inserted', async () => {
    await bench.sync(peopleFiles());
    const without = await bench.sync(peopleFiles({ people: [of(ada, '', 'bob'), bob, cyd] }));
    expect(without.counts).toMatchObject({ linksDeleted: 1, linksUpdated: 0, linksInserted: 0 });
    const again = await bench.sync(peopleFiles());
    expect(again.counts).toMatchObject({ linksDeleted: 0, linksUpdated: 0, linksInserted: 1 });
  });

  test('may lead to its own row, and in a circle', async () => {
    const people = [of(ada, 'HQ', 'bob'), of(bob, 'HQ', 'ada'), of(cyd, 'HQ', 'cyd')];
    const { contents, rejects } = await bench.sync(peopleFiles({ people }));
    expect(rejects).toEqual([]);
    expect(contents.links['person.manager']).toEqual(['ada → bob', 'bob → ada', 'cyd → cyd']);
    const gone = await bench.sync(peopleFiles({ people: [of(cyd, 'HQ', 'cyd')] }));
    expect(gone.contents.links['person.manager']).toEqual(['cyd → cyd']);
  });

  test('moves away from a target that is deleted by the same job', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(
      peopleFiles({
        organisations: ['HQ,Head office,'],
        people: [of(ada, 'HQ', 'bob'), bob, of(cyd, 'HQ', 'ada')],
      }),
    );
    expect(job.counts).toMatchObject({ deleted: 1, linksUpdated: 2, linksDeleted: 1 });
    expect(job.rejects).toEqual([]);
    expect(job.contents.links['person.organisation']).toEqual(['ada → HQ', 'bob → HQ', 'cyd → HQ']);
  });
});

describe('a reference whose target is unknown', () => {
  const waiting = peopleFiles({ people: [of(ada, 'LAB', 'bob'), bob, cyd] });
  const reject = {
    entityType: 'person',
    file: 'people.csv',
    line: 2,
    key: 'ada',
    column: 'org',
    value: 'LAB',
    code: 'ReferenceUnknown',
  };

  test('leaves its row in use, is pending, and is reported every time with its line', async () => {
    const first = await bench.sync(waiting);
    expect(first.state).toBe('succeeded-with-rejects');
    expect(first.contents.resources['person']).toHaveProperty('ada');
    expect(first.contents.pending).toEqual({ 'person.organisation': ['ada → LAB'] });
    expect(first.rejects).toMatchObject([reject]);
    const second = await bench.sync(waiting);
    expect(second.changes).toEqual([]);
    expect(second.rejects).toMatchObject([reject]);
    expect(second.counts).toMatchObject({ rejected: 1, unchanged: 7 });
  });

  test('reports the line on which the unchanged row is now', async () => {
    await bench.sync(waiting);
    const people = [bob, cyd, '', of(ada, 'LAB', 'bob')];
    const { rejects, changes } = await bench.sync(peopleFiles({ people }));
    expect(changes).toEqual([]);
    expect(rejects).toMatchObject([{ ...reject, line: 5 }]);
  });

  test('heals when the target arrives, though the row did not change', async () => {
    await bench.sync(waiting);
    const arrived = [...usualRows.organisations, 'LAB,Laboratory,HQ'];
    const job = await bench.sync({
      ...waiting,
      'organisations.csv': file('code,name,parent', arrived),
    });
    expect(job.counts).toMatchObject({ inserted: 1, updated: 0, linksInserted: 2, rejected: 0 });
    expect(job.contents.links['person.organisation']).toContain('ada → LAB');
    expect(job.contents.pending).toEqual({});
  });

  test('is forgotten when the row says something else', async () => {
    await bench.sync(waiting);
    const { contents, rejects } = await bench.sync(peopleFiles());
    expect(rejects).toEqual([]);
    expect(contents.pending).toEqual({});
  });

  test('is forgotten with its row', async () => {
    await bench.sync(waiting);
    const { contents } = await bench.sync(peopleFiles({ people: [bob] }));
    expect(contents.pending).toEqual({ membership: ['ada → dev', 'cyd → dev', 'cyd → ops'] });
  });

  test('gives up the link it had before', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(waiting);
    expect(job.counts).toMatchObject({ updated: 0, linksDeleted: 1, linksUpdated: 0 });
    expect(job.contents.links['person.organisation']).toEqual(['bob → HQ', 'cyd → RD']);
  });
});

describe('a target that is deleted while rows still refer to it', () => {
  const withoutBob = peopleFiles({ people: [ada, cyd] });

  test('takes its links with it; they are pending and reported until the rows change', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(withoutBob);
    // bob's own organisation, ada's manager and bob's membership.
    expect(job.counts).toMatchObject({ deleted: 1, linksDeleted: 3 });
    expect(job.contents.pending).toEqual({
      membership: ['bob → ops'],
      'person.manager': ['ada → bob'],
    });
    const reported = [
      { file: 'people.csv', line: 2, key: 'ada', column: 'boss', value: 'bob' },
      { file: 'memberships.csv', line: 3, key: 'bob', column: 'person', value: 'bob' },
    ];
    expect(job.rejects).toMatchObject(reported);
    const second = await bench.sync(withoutBob);
    expect(second.changes).toEqual([]);
    expect(second.rejects).toMatchObject(reported);
    const mended = peopleFiles({
      people: [of(ada, 'RD', ''), cyd],
      memberships: ['ada,dev', 'cyd,dev', 'cyd,ops'],
    });
    const third = await bench.sync(mended);
    expect(third.rejects).toEqual([]);
    expect(third.contents.pending).toEqual({});
  });

  test('gets them back when it returns', async () => {
    const { contents } = await bench.sync(peopleFiles());
    await bench.sync(withoutBob);
    const job = await bench.sync(peopleFiles());
    expect(job.counts).toMatchObject({ inserted: 1, linksInserted: 3, rejected: 0 });
    expect(job.contents).toEqual(contents);
  });
});

describe('rows of an association', () => {
  test('that repeat one another are one link', async () => {
    const memberships = ['ada,dev', 'ada,dev', ' ada , dev', 'cyd,dev'];
    const first = await bench.sync(peopleFiles({ memberships }));
    expect(first.contents.links['membership']).toEqual(['ada → dev', 'cyd → dev']);
    expect(first.associations['membership']).toMatchObject({ read: 4, linksInserted: 2 });
    const second = await bench.sync(peopleFiles({ memberships }));
    expect(second.changes).toEqual([]);
    const third = await bench.sync(peopleFiles({ memberships: [' ada , dev', 'cyd,dev'] }));
    expect(third.changes).toEqual([]);
    const fourth = await bench.sync(peopleFiles({ memberships: ['cyd,dev'] }));
    expect(fourth.counts).toMatchObject({ linksDeleted: 1 });
  });

  test('that repeat one another while their target is unknown are one reject, every time', async () => {
    const memberships = ['ada,dev', 'ada,new', 'ada, new', 'ada,new'];
    for (const _ of ['first', 'second', 'third']) {
      const job = await bench.sync(peopleFiles({ memberships }));
      expect(job.rejects).toMatchObject([
        { entityType: 'membership', line: 3, key: 'ada', column: 'team', value: 'new' },
      ]);
    }
    const teams = [...usualRows.teams, 'new,New'];
    const healed = await bench.sync(peopleFiles({ memberships, teams }));
    expect(healed.counts).toMatchObject({ inserted: 1, linksInserted: 1, rejected: 0 });
    expect(healed.contents.pending).toEqual({});
  });

  test('with one changed scalar and three changed groups of a person are 1 line and 3 links', async () => {
    const teams = ['a,A', 'b,B', 'c,C', 'd,D'];
    await bench.sync(peopleFiles({ teams, memberships: ['ada,a', 'ada,b', 'bob,d'] }));
    const people = [ada.replace('Ada', 'Ada L.'), bob, cyd];
    const memberships = ['ada,c', 'bob,d'];
    const { counts } = await bench.sync(peopleFiles({ people, teams, memberships }));
    expect(counts).toMatchObject({
      updated: 1,
      linksInserted: 1,
      linksDeleted: 2,
      linksUpdated: 0,
    });
  });
});

describe('with a second connector', () => {
  const both: ConfigurationDocument = {
    connectors: { ...peopleConfiguration().connectors, hr: { kind: 'csv', directory: './hr' } },
    entityTypes: {
      ...peopleConfiguration().entityTypes,
      badge: {
        connector: 'hr',
        source: 'badges.csv',
        key: 'number',
        properties: {
          number: { column: 'number' },
          holder: { column: 'holder', references: 'person' },
        },
      },
    },
    associations: {
      ...peopleConfiguration().associations,
      access: {
        connector: 'hr',
        source: 'access.csv',
        from: { entityType: 'badge', property: 'teams', column: 'badge' },
        to: { entityType: 'team', property: 'badges', column: 'team' },
      },
    },
  };
  const badges = {
    'badges.csv': file('number,holder', ['1,ada', '2,bob']),
    'access.csv': file('badge,team', ['1,dev', '2,ops']),
  };
  beforeEach(() => bench.configure(both));

  test('its pending links heal in the job that brings their targets, and count there', async () => {
    const first = await bench.sync(badges, 'hr');
    expect(first.contents.pending).toEqual({
      access: ['1 → dev', '2 → ops'],
      'badge.holder': ['1 → ada', '2 → bob'],
    });
    const job = await bench.sync(peopleFiles());
    expect(job.counts).toMatchObject({ inserted: 7, linksInserted: 14, rejected: 0 });
    expect(job.contents.pending).toEqual({});
    const again = await bench.sync(badges, 'hr');
    expect(again.changes).toEqual([]);
    expect(again.rejects).toEqual([]);
  });

  test('a job touches no row of the other', async () => {
    await bench.sync(peopleFiles());
    await bench.sync(badges, 'hr');
    const { rows: before } = await versions();
    await bench.sync(peopleFiles({ people: [ada.replace('Ada', 'A.'), bob, cyd] }));
    expect((await versions()).rows).toEqual(before);
  });

  test('a deleted resource takes the links of the other, which that one reports', async () => {
    await bench.sync(peopleFiles());
    await bench.sync(badges, 'hr');
    const job = await bench.sync(peopleFiles({ people: [ada, cyd], memberships: ['ada,dev'] }));
    const ofHr = job.changes.filter(
      (change) => 'association' in change && change.association === 'badge.holder',
    );
    expect(ofHr).toMatchObject([{ from: '2', to: 'bob', change: 'delete' }]);
    expect(job.contents.pending).toMatchObject({ 'badge.holder': ['2 → bob'] });
    expect(job.rejects.map(({ entityType }) => entityType)).toEqual(['person']);
    const hr = await bench.sync(badges, 'hr');
    expect(hr.changes).toEqual([]);
    expect(hr.rejects).toMatchObject([
      { entityType: 'badge', line: 3, column: 'holder', value: 'bob' },
    ]);
    const back = await bench.sync(peopleFiles());
    expect(back.contents.links['badge.holder']).toEqual(['1 → ada', '2 → bob']);
  });

  async function versions() {
    return await bench.store.pool.query(
      `select r.key, r.xmin::text, r.ctid::text from resource r
       join entity_type t on t.id = r.entity_type_id where t.connector = 'hr' order by 1`,
    );
  }
});

function file(header: string, rows: readonly string[]): string {
  return `${[header, ...rows].join('\n')}\n`;
}
