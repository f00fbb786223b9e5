// Tests of the queries about jobs against a real PostgreSQL: exact documents, and pages of changes and rejects.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { noCounts } from '../../engine/counts.ts';
import { listChanges, pageOfChanges } from '../../store/queries/changes.ts';
import { jobDocument, jobRecord, lastDecisions } from '../../store/queries/job-document.ts';
import { holderOf, listJobs } from '../../store/queries/jobs.ts';
import { listRejects } from '../../store/queries/rejects.ts';
import {
  collect,
  openSeededStore,
  type SeededStore,
  seededCounts,
  seedJob,
} from './seeded-store.ts';

let seeded: SeededStore;
beforeAll(async () => {
  seeded = await openSeededStore();
});
afterAll(() => seeded[Symbol.asyncDispose]());

test('the document of a job is the one that every command promises, of its newest delta', async () => {
  await seedJob(seeded.writer, 'doc.complete.1');
  const expected = {
    job: 'doc.complete.1',
    connector: 'doc',
    mode: 'complete',
    task: 'all',
    extraction: null,
    state: 'blocked',
    simulated: false,
    counts: seededCounts,
    entityTypes: { sab_user: seededCounts },
    associations: {},
    breaches: [
      { threshold: 'maximumUpdatedLines', scope: 'sab_user', planned: 1, allowed: 0, base: 4 },
    ],
    diagnoses: [],
    error: null,
  };
  const document = await jobDocument(seeded.store, 'doc.complete.1');
  // The order of members is part of what people read.
  expect(JSON.stringify(document)).toBe(JSON.stringify(expected));
  expect(await jobDocument(seeded.store, 'nope')).toBeUndefined();
});

test('a job without a delta has counts all the same', async () => {
  await seeded.writer.pool.query(
    `insert into job (id, run_id, connector, mode, state, simulated, trigger)
     values ('bare.complete.1', 'r', 'bare', 'complete', 'running', true, 'schedule')`,
  );
  expect(await jobDocument(seeded.store, 'bare.complete.1')).toMatchObject({
    counts: noCounts,
    entityTypes: {},
    breaches: [],
    simulated: true,
  });
  expect((await jobRecord(seeded.store, 'bare.complete.1'))?.delta).toBeNull();
});

test('the record of a job tells its steps, decisions and rejects, and which delta is decided on', async () => {
  const delta = await seedJob(seeded.writer, 'rec.complete.1');
  await seeded.writer.pool.query(
    `insert into job_step (job_id, name, state, started_at, ended_at) values
       ('rec.complete.1', 'prepare', 'succeeded', '2026-01-01 00:00:01Z', '2026-01-01 00:00:03Z'),
       ('rec.complete.1', 'export', 'succeeded', '2026-01-01 00:00:00Z', '2026-01-01 00:00:01Z')`,
  );
  await seeded.writer.pool.query(
    `insert into decision (job_id, action, via, effect, why, claimed_by) values
       ('rec.complete.1', 'resume', 'signal', 'ignored', 'too early', 'a'),
       ('rec.complete.1', 'resume', 'update', 'applied', null, 'b')`,
  );
  await seeded.writer.pool.query(
    `insert into reject (job_id, entity_type, file, code, message)
     select 'rec.complete.1', 'sab_user', 'u.csv', unnest(array['KeyMissing', 'ValueInvalid', 'ValueInvalid']), ''`,
  );
  const record = await jobRecord(seeded.store, 'rec.complete.1');
  expect(record?.delta).toEqual({ id: delta, digest: 'newest' });
  expect(record?.steps.map(({ name }) => name)).toEqual(['export', 'prepare']);
  expect(record?.decisions.map(({ claimedBy }) => claimedBy)).toEqual(['a', 'b']);
  expect(Object.entries(record?.rejects ?? {})).toEqual([
    ['ValueInvalid', 2],
    ['KeyMissing', 1],
  ]);
  expect(
    (await lastDecisions(seeded.store, 'rec.complete.1', 1)).map(({ effect }) => effect),
  ).toEqual(['applied']);
});

test('jobs are listed newest first, by connector and state', async () => {
  await seedJob(seeded.writer, 'ls.complete.1', { startedAt: '2026-02-01' });
  await seedJob(seeded.writer, 'ls.complete.2', {
    startedAt: '2026-02-02',
    state: 'failed',
    error: { code: 'SourceEmpty' },
  });
  await seedJob(seeded.writer, 'ls.complete.3', { startedAt: '2026-02-03' });
  const ids = async (filter: Parameters<typeof listJobs>[1]) =>
    (await listJobs(seeded.store, filter)).map(({ job }) => job);
  expect(await ids({ connector: 'ls', limit: 9 })).toEqual([
    'ls.complete.3',
    'ls.complete.2',
    'ls.complete.1',
  ]);
  expect(await ids({ connector: 'ls', limit: 1 })).toEqual(['ls.complete.3']);
  const [failed] = await listJobs(seeded.store, { connector: 'ls', state: 'failed', limit: 9 });
  expect(failed).toEqual({
    job: 'ls.complete.2',
    connector: 'ls',
    mode: 'complete',
    task: 'all',
    mapping: null,
    state: 'failed',
    simulated: false,
    trigger: 'person',
    requestedBy: 'me',
    counts: seededCounts,
    breaches: 1,
    error: 'SourceEmpty',
    startedAt: '2026-02-02T00:00:00.000Z',
    endedAt: null,
  });
});

test('who holds a connector is told with the state of that job', async () => {
  expect(await holderOf(seeded.store, 'free')).toBeUndefined();
  await seedJob(seeded.writer, 'held.complete.1');
  await seeded.writer.pool.query(
    `insert into lease (connector, holder) values ('held', 'held.complete.1'), ('given-back', null)`,
  );
  expect(await holderOf(seeded.store, 'held')).toEqual({
    job: 'held.complete.1',
    state: 'blocked',
  });
  expect(await holderOf(seeded.store, 'given-back')).toBeUndefined();
});

/** 2,500 users inserted, an organisation updated, 1,200 memberships and a moved reference. */
async function seedChanges(job: string): Promise<void> {
  const delta = await seedJob(seeded.writer, job);
  const [user, organisation] = ['sab_user', 'sab_organisation'].map((name) =>
    seeded.model.entityTypeIds.get(name),
  );
  await seeded.writer.pool.query(
    `insert into resource_change (delta_id, resource_id, entity_type_id, key, change, before, after)
     select $1::bigint, 10000 + i, $2::int, 'user' || i, 'insert', null::jsonb, jsonb_build_object('login', 'user' || i)
     from generate_series(1, 2500) i
     union all
     select $1, 1, $3::int, 'HQ', 'update', '{"name": "Siège"}', '{"name": "Siège social"}'`,
    [delta, user, organisation],
  );
  await seeded.writer.pool.query(
    `insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, previous_id, previous_key)
     select $1::bigint, $2::int, 'insert', 10000 + i, 4, 'user' || i, 'all', null::bigint, 'stray' from generate_series(1, 1200) i
     union all
     select $1, $3::int, 'update', 6, 1, 'jdoe', 'HQ', 2, 'RD'`,
    [
      delta,
      seeded.model.navigations.get('sab_membership')?.id,
      seeded.model.navigations.get('sab_user.organisation')?.id,
    ],
  );
}

test('changes come in pages that together are everything, once, in the promised shape', async () => {
  await seedChanges('chg.complete.1');
  const all = await collect(listChanges(seeded.store, 'chg.complete.1'));
  expect(all).toHaveLength(2500 + 1 + 1200 + 1);
  expect(new Set(all.map((change) => JSON.stringify(change))).size).toBe(all.length);
  const resources = all.filter((change) => 'entityType' in change);
  expect(resources).toHaveLength(2501);
  expect(resources.find(({ key }) => key === 'HQ')).toEqual({
    entityType: 'sab_organisation',
    key: 'HQ',
    change: 'update',
    before: { name: 'Siège' },
    after: { name: 'Siège social' },
  });
  const links = all.filter((change) => 'association' in change);
  expect(links.find(({ from }) => from === 'jdoe')).toEqual({
    association: 'sab_user.organisation',
    property: 'organisation',
    from: 'jdoe',
    to: 'HQ',
    previous: 'RD',
    change: 'update',
  });
  // Only an update has a target before.
  expect(links.find(({ from }) => from === 'user7')).toEqual({
    association: 'sab_membership',
    property: 'groups',
    from: 'user7',
    to: 'all',
    previous: null,
    change: 'insert',
  });

  for (const limit of [1, 999, 2501, 5000]) {
    const paged: unknown[] = [];
    let after: string | undefined;
    let pages = 0;
    // The smallest page is tried on the seam between resources and links only.
    if (limit === 1)
      after = (await pageOfChanges(seeded.store, 'chg.complete.1', { limit: 2500 })).next ?? '';
    do {
      const page = await pageOfChanges(seeded.store, 'chg.complete.1', { limit, after });
      paged.push(...page.changes);
      after = page.next ?? undefined;
      pages++;
    } while (after !== undefined && (limit > 1 || pages < 4));
    expect(paged).toEqual(limit === 1 ? all.slice(2500, 2504) : all);
  }
});

test('changes can be narrowed to an entity type or an association, and limited', async () => {
  await seedChanges('few.complete.1');
  const some = async (filter: Parameters<typeof listChanges>[2]) =>
    collect(listChanges(seeded.store, 'few.complete.1', filter));
  const ofOrganisation = await some({ scope: 'sab_organisation' });
  expect(ofOrganisation.map((change) => ('key' in change ? change.key : change.from))).toEqual([
    'HQ',
    'jdoe',
  ]);
  expect(await some({ scope: 'sab_membership' })).toHaveLength(1200);
  expect(await some({ scope: 'sab_user' })).toHaveLength(2500 + 1201);
  expect(await some({ limit: 1500 })).toHaveLength(1500);
  expect(await some({ scope: 'sab_group', limit: 7 })).toHaveLength(7);
  expect(await collect(listChanges(seeded.store, 'none'))).toEqual([]);
});

test('rejects come in their order, all of them, in the promised shape', async () => {
  await seedJob(seeded.writer, 'rej.complete.1');
  await seeded.writer.pool.query(
    `insert into reject (job_id, entity_type, file, line, key, "column", value, code, message)
     select 'rej.complete.1', 'sab_user', 'users.csv', i, null, 'hire_date', '31/02', 'ValueInvalid', 'no date'
     from generate_series(2, 2101) i`,
  );
  const all = await collect(listRejects(seeded.store, 'rej.complete.1'));
  expect(all.map(({ line }) => line)).toEqual(
    Array.from({ length: 2100 }, (_, index) => index + 2),
  );
  expect(all[0]).toEqual({
    entityType: 'sab_user',
    file: 'users.csv',
    line: 2,
    key: null,
    column: 'hire_date',
    value: '31/02',
    code: 'ValueInvalid',
    message: 'no date',
  });
  expect(await collect(listRejects(seeded.store, 'rej.complete.1', { limit: 1001 }))).toHaveLength(
    1001,
  );
});

test('the document of a reconciliation counts what became of the writes of its newest delta', async () => {
  const delta = await seedJob(seeded.writer, 'prov.complete.1');
  await seeded.writer.pool.query(
    `update job set task = 'reconcile', mapping = 'people' where id = 'prov.complete.1'`,
  );
  const before = await jobDocument(seeded.store, 'prov.complete.1');
  expect(before).toMatchObject({ mapping: 'people' });
  expect(before).not.toHaveProperty('provisioning');
  await seeded.writer.pool.query(
    `insert into provisioning (delta_id, entity_type_id, resource_id, key, operation, state)
     select d, $2::int, i, 'k' || i, 'update', (array['applied', 'applied', 'not-applied', 'failed', 'pending'])[i]
     from generate_series(1, 5) i, unnest(array[$1::bigint]) d
     union all
     select id, $2, 9, 'old', 'update', 'failed' from delta where job_id = 'prov.complete.1' and id <> $1`,
    [delta, seeded.model.entityTypeIds.get('sab_user')],
  );
  const provisioning = { applied: 2, notApplied: 1, failed: 1 };
  expect(await jobDocument(seeded.store, 'prov.complete.1')).toMatchObject({ provisioning });
  expect((await jobRecord(seeded.store, 'prov.complete.1'))?.document).toMatchObject({
    provisioning,
  });
});
