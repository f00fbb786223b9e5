/** A delta that makes matches, through the whole load: once, exactly what was reviewed, or nothing. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf, plannedBookkeeping, plannedChanges } from '../../store/delta-digest.ts';
import { type LoadOutcome, loadDelta } from '../../store/delta-load.ts';
import { type MappedStore, openMappedStore } from '../support/mapped-store.ts';

let mapped: MappedStore;
beforeAll(async () => {
  mapped = await openMappedStore();
  await mapped.store.pool.query(
    `insert into job (id, run_id, connector, mode, state, simulated, trigger)
     values ('job', 'run', 'crm', 'complete', 'running', false, 'person')`,
  );
  await mapped.store.pool.query(
    `insert into lease (connector, holder, fence) values ('crm', 'job', 7)`,
  );
});
afterAll(() => mapped[Symbol.asyncDispose]());

let digest: string;
/** Two new matches are reviewed. */
beforeEach(async () => {
  await mapped.fill({ a: {}, b: {} }, { u: {}, v: {} });
  const { pool, transaction } = mapped.store;
  const { rows } = await pool.query<{ id: string }>(
    `insert into delta (job_id, digest, counts, entity_types, associations, breaches, diagnoses)
     values ('job', '', '{}', '{}', '{}', '[]', '[]') returning id`,
  );
  const deltaId = BigInt(rows[0]?.id as string);
  const { sourceTypeId, targetTypeId } = mapped.pair;
  await pool.query(
    `insert into match_change (delta_id, change, first_type_id, second_type_id, first_id, second_id, first_key, second_key, after)
     select $1, 'insert', $2, $3, f.id, s.id, f.key, s.key, '{"state": "confirmed", "mapping": "m", "rule": "x = x"}'
     from resource f join resource s on (f.key, s.key) in (('a', 'u'), ('b', 'v'))
     where f.entity_type_id = $2 and s.entity_type_id = $3`,
    [deltaId, sourceTypeId, targetTypeId],
  );
  digest = await transaction('read committed', async (session) =>
    digestOf(deltaId, [
      ...(await plannedChanges(session, deltaId)),
      ...(await plannedBookkeeping(session, deltaId)),
    ]),
  );
  await pool.query('update delta set digest = $2 where id = $1', [deltaId, digest]);
});

const load = (): Promise<LoadOutcome> =>
  loadDelta(mapped.store, { jobId: 'job', connector: 'crm', fence: 7, digest });

const pairs = async () =>
  (await mapped.matches()).map(({ source, target }) => `${source} ${target}`);

test('both are made, and a second attempt makes none', async () => {
  expect(await load()).toBe('applied');
  expect(await pairs()).toEqual(['a u', 'b v']);
  await mapped.store.pool.query('delete from match');
  expect(await load()).toBe('applied');
  expect(await pairs()).toEqual([]);
});

test('one of them was matched meanwhile: stale, and the other is not made either', async () => {
  await mapped.match('a', 'v');
  expect(await load()).toBe('stale');
  expect(await pairs()).toEqual(['a v']);
});

test('one of them is gone meanwhile: stale', async () => {
  await mapped.remove('source', 'b');
  expect(await load()).toBe('stale');
  expect(await pairs()).toEqual([]);
});

test('one was taken out of what was reviewed: stale', async () => {
  await mapped.store.pool.query(`delete from match_change where first_key = 'b'`);
  expect(await load()).toBe('stale');
  expect(await pairs()).toEqual([]);
});

test('two loads at the same moment, of two jobs, never make two matches of one resource', async () => {
  const rival = mapped.store.transaction('read committed', async (session) => {
    const { sourceTypeId, targetTypeId } = mapped.pair;
    await session.query(
      `insert into match (first_type_id, second_type_id, first_id, second_id, first_key, second_key, state, mapping)
       select $1, $2, f.id, s.id, f.key, s.key, 'confirmed', 'other' from resource f, resource s
       where f.entity_type_id = $1 and f.key = 'b' and s.entity_type_id = $2 and s.key = 'u'`,
      [sourceTypeId, targetTypeId],
    );
    // The load waits for this transaction, which is not committed yet.
    const waiting = load();
    await expect
      .poll(
        async () =>
          (
            await mapped.store.pool.query(
              `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%match_id_seq%'`,
            )
          ).rowCount,
        { timeout: 20_000 },
      )
      .toBe(1);
    return { waiting };
  });
  expect(await (await rival).waiting).toBe('stale');
  expect(await pairs()).toEqual(['b u']);
});
