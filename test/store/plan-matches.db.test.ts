/** What a reconciliation makes of matches: planned from situations, loaded once, and only if nothing moved. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CorrelationRule } from '../../engine/mapping.ts';
import { assessMapping } from '../../store/assess-mapping.ts';
import { plannedBookkeeping } from '../../store/delta-digest.ts';
import { loadMatches } from '../../store/load-matches.ts';
import { openMatchPlan, planMatches } from '../../store/plan-matches.ts';
import { type MappedStore, openMappedStore, ruleOf } from '../support/mapped-store.ts';

interface Planning {
  readonly correlate?: readonly CorrelationRule[];
  readonly onMatch?: 'link-and-confirm' | 'link-but-do-not-confirm';
  readonly matchesFound?: boolean;
  readonly unqualified?: readonly string[];
  /** Ids of matches. */
  readonly ended?: readonly string[];
  /** Source → target that is there already, as one that was created. */
  readonly created?: Readonly<Record<string, string>>;
}

describe.each([
  ['the source’s type comes first in matches', false],
  ['the target’s type comes first in matches', true],
])('%s', (_, managedFirst) => {
  let mapped: MappedStore;
  beforeAll(async () => {
    mapped = await openMappedStore({ managedFirst });
  });
  afterAll(() => mapped[Symbol.asyncDispose]());

  /** Assesses the mapping and plans its matches into a delta of its own. */
  async function plan(planning: Planning = {}): Promise<bigint> {
    const { pool, transaction } = mapped.store;
    const {
      correlate = [ruleOf('mail')],
      onMatch = 'link-and-confirm',
      matchesFound = true,
      unqualified = [],
    } = planning;
    const job = `job-${Math.random()}`;
    await pool.query(
      `insert into job (id, run_id, connector, mode, state, simulated, trigger) values ($1, $1, 'crm', 'complete', 'running', false, 'person')`,
      [job],
    );
    return await transaction('repeatable read', async (session) => {
      const { rows } = await session.query<{ id: string }>(
        `insert into delta (job_id, digest, counts, entity_types, associations, breaches, diagnoses)
         values ($1, '', '{}', '{}', '{}', '[]', '[]') returning id`,
        [job],
      );
      const deltaId = BigInt(rows[0]?.id as string);
      await session.query(
        'create temporary table unqualified_source (source_id bigint primary key) on commit drop',
      );
      await session.query(
        `insert into unqualified_source select id from resource where entity_type_id = $1 and key = any($2)`,
        [mapped.pair.sourceTypeId, unqualified],
      );
      const mapping = { name: 'm', correlate, onMatch };
      await assessMapping(session, { ...mapped.pair, mapping });
      await openMatchPlan(session);
      await session.query('insert into ended_match select unnest($1::bigint[])', [
        planning.ended ?? [],
      ]);
      await session.query(
        `insert into created_counterpart
         select s.id, s.key, t.id, t.key from jsonb_each_text($1) p
         join resource s on s.entity_type_id = $2 and s.key = p.key
         join resource t on t.entity_type_id = $3 and t.key = p.value`,
        [
          JSON.stringify(planning.created ?? {}),
          mapped.pair.sourceTypeId,
          mapped.pair.targetTypeId,
        ],
      );
      await planMatches(session, { ...mapped.pair, mapping, deltaId, matchesFound });
      return deltaId;
    });
  }

  async function load(deltaId: bigint): Promise<boolean> {
    return await mapped.store.transaction('read committed', (session) =>
      loadMatches(session, deltaId),
    );
  }

  const reconcile = async (planning?: Planning) => await load(await plan(planning));

  const planned = async (deltaId: bigint) =>
    (
      await mapped.store.pool.query<{ change: string }>(
        'select change from match_change where delta_id = $1 order by id',
        [deltaId],
      )
    ).rows.map(({ change }) => change);

  test('what is found is matched and confirmed, with the rule and who did it', async () => {
    await mapped.fill({ a: { mail: 'm' }, b: { mail: 'n' } }, { u: { mail: 'm' } });
    await reconcile();
    expect(await mapped.matches()).toEqual([
      {
        source: 'a',
        target: 'u',
        state: 'confirmed',
        rule: 'mail = mail',
        bound: true,
        sourceMissing: false,
      },
    ]);
    const { rows } = await mapped.store.pool.query(
      `select action, actor like 'job-%' as "byJob", detail ->> 'rule' as rule, detail -> 'compared' as compared
       from audit_event where action = 'matched' order by id desc limit 1`,
    );
    expect(rows).toEqual([
      { action: 'matched', byJob: true, rule: 'mail = mail', compared: { mail: 'm' } },
    ]);
  });

  test('what is found waits for a person where the mapping says so', async () => {
    await mapped.fill({ a: { mail: 'm' } }, { u: { mail: 'm' } });
    await reconcile({ onMatch: 'link-but-do-not-confirm' });
    expect(await mapped.matches()).toMatchObject([{ state: 'unconfirmed', source: 'a' }]);
  });

  test('what is found stays as it is where the mapping leaves it alone', async () => {
    await mapped.fill({ a: { mail: 'm' } }, { u: { mail: 'm' } });
    expect(await planned(await plan({ matchesFound: false }))).toEqual([]);
  });

  test('a hundred accounts of a hundred people become a hundred matches, and the next time nothing', async () => {
    const people = (prefix: string) =>
      Object.fromEntries(
        Array.from({ length: 100 }, (_, n) => [`${prefix}${n}`, { mail: `p${n}@x` }]),
      );
    await mapped.fill(people('a'), people('u'));
    await reconcile();
    expect(await mapped.matches()).toHaveLength(100);
    expect(await planned(await plan())).toEqual([]);
  });

  test('a source that is gone is noted once, and forgotten when it comes back', async () => {
    await mapped.fill({ a: {} }, { u: {} });
    await mapped.match('a', 'u');
    await mapped.remove('source', 'a');
    await reconcile();
    expect(await mapped.matches()).toMatchObject([{ sourceMissing: true, bound: false }]);
    expect(await planned(await plan())).toEqual([]);
    await mapped.add('source', { a: {} });
    await reconcile();
    expect(await mapped.matches()).toMatchObject([
      { source: 'a', target: 'u', sourceMissing: false, bound: true },
    ]);
    expect(await planned(await plan())).toEqual([]);
  });

  test('a source that does not qualify is as good as gone, and back when it does again', async () => {
    await mapped.fill({ a: {} }, { u: {} });
    await mapped.match('a', 'u');
    await reconcile({ unqualified: ['a'] });
    expect(await mapped.matches()).toMatchObject([{ sourceMissing: true, bound: true }]);
    await reconcile();
    expect(await mapped.matches()).toMatchObject([{ sourceMissing: false }]);
  });

  test('a target that comes back is matched as before', async () => {
    await mapped.fill({ a: {} }, { u: {} });
    await mapped.match('a', 'u', 'unconfirmed');
    await mapped.remove('target', 'u');
    await mapped.add('target', { u: {} });
    await reconcile();
    expect(await mapped.matches()).toMatchObject([{ bound: true, state: 'unconfirmed' }]);
  });

  test('a match that has lost both its ends is forgotten', async () => {
    await mapped.fill({ a: {} }, { u: {} });
    await mapped.match('a', 'u');
    await mapped.remove('source', 'a');
    await mapped.remove('target', 'u');
    await reconcile();
    expect(await mapped.matches()).toEqual([]);
  });

  test('an account under a new key takes the place of the one that is gone', async () => {
    await mapped.fill({ old: { mail: 'm' } }, { u: { mail: 'm' } });
    await mapped.match('old', 'u');
    await mapped.remove('source', 'old');
    await mapped.add('source', { new: { mail: 'm' } });
    const deltaId = await plan();
    expect(await planned(deltaId)).toEqual(['delete', 'insert']);
    expect(await load(deltaId)).toBe(true);
    expect(await mapped.matches()).toMatchObject([{ source: 'new', target: 'u', bound: true }]);
  });

  test('a counterpart that was created is matched; the match that had lost its own gets it', async () => {
    await mapped.fill({ a: {}, b: {} }, { gone: {} });
    const kept = await mapped.match('b', 'gone');
    await mapped.remove('target', 'gone');
    await mapped.add('target', { u: {}, v: {} });
    await reconcile({ created: { a: 'u', b: 'v' } });
    const matches = await mapped.matches();
    expect(matches).toMatchObject([
      { source: 'a', target: 'u', state: 'confirmed', rule: null, bound: true },
      { source: 'b', target: 'v', state: 'confirmed', bound: true },
    ]);
    const { rows } = await mapped.store.pool.query('select id from match where id = $1', [kept]);
    expect(rows).toHaveLength(1);
  });

  test('a match that is to end does, whatever else would be noted of it', async () => {
    await mapped.fill({ a: {} }, { u: {} });
    const id = await mapped.match('a', 'u');
    await mapped.remove('source', 'a');
    const deltaId = await plan({ ended: [id] });
    expect(await planned(deltaId)).toEqual(['delete']);
    expect(await load(deltaId)).toBe(true);
    expect(await mapped.matches()).toEqual([]);
  });

  describe('the delta is stale when meanwhile', () => {
    test.each<[string, () => Promise<unknown>]>([
      [
        'one of the two was matched with another',
        async () => {
          await mapped.add('target', { v: {} });
          await mapped.match('a', 'v');
        },
      ],
      [
        'the other of the two was matched',
        async () => {
          await mapped.add('source', { c: {} });
          await mapped.match('c', 'u');
        },
      ],
      ['both were matched by somebody else', () => mapped.match('a', 'u')],
      ['one of the two is gone', () => mapped.remove('target', 'u')],
    ])('%s', async (_name, move) => {
      await mapped.fill({ a: { mail: 'm' } }, { u: { mail: 'm' } });
      const deltaId = await plan();
      await move();
      const before = await mapped.matches();
      const outcome = await load(deltaId).catch(({ code }) => code);
      expect([false, '23505']).toContain(outcome);
      expect(await mapped.matches()).toEqual(before);
      expect(await planned(await plan())).not.toContain('update');
    });

    test.each([
      ['a person confirmed what was to end', `update match set state = 'confirmed'`],
      ['a person took it away', 'delete from match'],
      [
        'it was noted since when the source is gone',
        'update match set first_missing_since = now(), second_missing_since = now()',
      ],
    ])('%s', async (_name, statement) => {
      await mapped.fill({ a: {} }, { u: {} });
      const id = await mapped.match('a', 'u', 'unconfirmed');
      const deltaId = await plan({ ended: [id] });
      await mapped.store.pool.query(statement);
      expect(await load(deltaId)).toBe(false);
    });
  });

  test('no resource is in two matches: the database refuses the second', async () => {
    await mapped.fill({ a: {}, b: {} }, { u: {}, v: {} });
    await mapped.match('a', 'u');
    await expect(mapped.match('a', 'v')).rejects.toMatchObject({ code: '23505' });
    await expect(mapped.match('b', 'u')).rejects.toMatchObject({ code: '23505' });
  });

  test('planned matches are part of what is reviewed: they count in the digest, and cannot be edited', async () => {
    await mapped.fill({ a: { mail: 'm' } }, { u: { mail: 'm' } });
    const deltaId = await plan();
    const digested = await mapped.store.transaction('read committed', (session) =>
      plannedBookkeeping(session, deltaId),
    );
    expect(digested).toMatchObject([{ table: 'match_change', change: 'insert', count: 1 }]);
    await expect(
      mapped.store.pool.query(`update match_change set after = '{}' where delta_id = ${deltaId}`),
    ).rejects.toThrow('cannot be edited');
  });
});
