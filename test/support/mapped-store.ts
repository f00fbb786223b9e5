/** A store with two entity types, accounts and users, whose resources and matches are put there row by row. */

import type { CorrelationIgnore, CorrelationRule, Situation } from '../../engine/mapping.ts';
import { assessMapping, type MappedPair, matchSides } from '../../store/assess-mapping.ts';
import { openStore, type Session, type Store } from '../../store/database.ts';
import { migratedDatabase } from './servers.ts';

/** A rule of one pair. */
export function ruleOf(
  source: string,
  target = source,
  ignore: readonly CorrelationIgnore[] = [],
): CorrelationRule {
  return { pairs: [{ source, target, ignore }] };
}

/** Key → attributes. */
export type Resources = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What was found out about a resource, by keys rather than ids. */
export interface AssessedResource {
  readonly situation: Situation;
  /** Key of the one it is matched with, or that was found. */
  readonly with: string | null;
  readonly rule: string | null;
  readonly candidates: readonly string[];
}

export interface Assessment {
  readonly counts: Readonly<Record<Situation, number>>;
  readonly sources: Readonly<Record<string, AssessedResource>>;
  /** Those that no source is confirmed, unconfirmed or found with. */
  readonly targets: Readonly<Record<string, { situation: Situation; with: string | null }>>;
}

export interface StoredMatch {
  readonly source: string;
  readonly target: string;
  readonly state: string;
  readonly rule: string | null;
  /** Both resources are there. */
  readonly bound: boolean;
  /** It is noted since when the source is gone. */
  readonly sourceMissing: boolean;
}

export interface MappedStore extends AsyncDisposable {
  readonly url: string;
  readonly store: Store;
  readonly pair: Omit<MappedPair, 'mapping'>;
  /** The resources of both, in place of those there were; matches and refusals are forgotten. */
  fill(sources: Resources, targets: Resources): Promise<void>;
  add(side: 'source' | 'target', resources: Resources): Promise<void>;
  remove(side: 'source' | 'target', key: string): Promise<void>;
  /** @returns id of the match */
  match(source: string, target: string, state?: 'confirmed' | 'unconfirmed'): Promise<string>;
  /** All matches, by the keys of their sources. */
  matches(): Promise<StoredMatch[]>;
  /** Says of two that they are not the same. */
  refuse(source: string, target: string): Promise<void>;
  /** In one transaction that is rolled back. `unqualified` are keys of sources. */
  assess(
    correlate: readonly CorrelationRule[],
    unqualified?: readonly string[],
  ): Promise<Assessment>;
  /** Assesses, and has a look at the temporary tables. */
  within<Result>(
    correlate: readonly CorrelationRule[],
    look: (session: Session) => Promise<Result>,
  ): Promise<Result>;
}

/** @param managedFirst whether the managed type has the lower id: the two ends of a match stand in that order */
export async function openMappedStore({ managedFirst = false } = {}): Promise<MappedStore> {
  const database = await migratedDatabase();
  const store = openStore(database.url, 'mapped store');
  const { pool } = store;
  const names = managedFirst ? ['user', 'account'] : ['account', 'user'];
  const ids = new Map<string, number>();
  for (const name of names) {
    const { rows } = await pool.query<{ id: number }>(
      `insert into entity_type (name, connector, key, properties)
       values ($1, $2, 'userName', '{"userName": "string", "mail": "string", "number": "integer"}') returning id`,
      [name, name === 'user' ? null : 'crm'],
    );
    const id = rows[0]?.id as number;
    await pool.query(`create table resource_${id} partition of resource for values in (${id})`);
    ids.set(name, id);
  }
  const pair = {
    sourceTypeId: ids.get('account') as number,
    targetTypeId: ids.get('user') as number,
  };
  const typeOf = { source: pair.sourceTypeId, target: pair.targetTypeId };
  const { source: sourceEnd, target: targetEnd } = matchSides(pair);
  const first = Math.min(pair.sourceTypeId, pair.targetTypeId);
  const second = Math.max(pair.sourceTypeId, pair.targetTypeId);
  const idOf = (side: 'source' | 'target', parameter: string) =>
    `(select id from resource where entity_type_id = ${typeOf[side]} and key = ${parameter})`;

  const opened: MappedStore = {
    url: database.url,
    store,
    pair,
    async fill(sources, targets) {
      await pool.query('truncate match, non_match, resource');
      await opened.add('source', sources);
      await opened.add('target', targets);
    },
    async add(side, resources) {
      await pool.query(
        `insert into resource (entity_type_id, key, attributes)
         select ${typeOf[side]}, key, value from jsonb_each($1)`,
        [JSON.stringify(resources)],
      );
    },
    async remove(side, key) {
      await pool.query(`delete from resource where id = ${idOf(side, '$1')}`, [key]);
    },
    async match(source, target, state = 'confirmed') {
      const { rows } = await pool.query<{ id: string }>(
        `insert into match (first_type_id, second_type_id, ${sourceEnd}_id, ${targetEnd}_id, ${sourceEnd}_key, ${targetEnd}_key, state, mapping)
         select ${first}, ${second}, ${idOf('source', '$1')}, ${idOf('target', '$2')}, $1, $2, $3, 'm' returning id`,
        [source, target, state],
      );
      return rows[0]?.id as string;
    },
    async matches() {
      const { rows } = await pool.query<StoredMatch>(
        `select ${sourceEnd}_key as source, ${targetEnd}_key as target, state, rule,
           exists (select from resource where entity_type_id = ${pair.sourceTypeId} and id = ${sourceEnd}_id
             and key = ${sourceEnd}_key)
           and exists (select from resource where entity_type_id = ${pair.targetTypeId} and id = ${targetEnd}_id
             and key = ${targetEnd}_key) as bound,
           ${sourceEnd}_missing_since is not null as "sourceMissing"
         from match order by ${sourceEnd}_key collate "C"`,
      );
      return rows;
    },
    async refuse(source, target) {
      await pool.query(
        `insert into non_match (first_type_id, second_type_id, ${sourceEnd}_key, ${targetEnd}_key, said_by)
         values (${first}, ${second}, $1, $2, 'a person')`,
        [source, target],
      );
    },
    async within(correlate, look) {
      let result: unknown;
      const undone = new Error('rolled back');
      await store
        .transaction('repeatable read', async (session) => {
          await assessMapping(session, { ...pair, mapping: { correlate } });
          result = await look(session);
          throw undone;
        })
        .catch((error: unknown) => {
          if (error !== undone) throw error;
        });
      return result as never;
    },
    async assess(correlate, unqualified = []) {
      const session = await pool.connect();
      try {
        await session.query('begin isolation level repeatable read');
        if (unqualified.length > 0) {
          await session.query(
            'create temporary table unqualified_source (source_id bigint primary key) on commit drop',
          );
          await session.query(
            `insert into unqualified_source select id from resource
             where entity_type_id = ${pair.sourceTypeId} and key = any($1)`,
            [unqualified],
          );
        }
        const counts = await assessMapping(session, { ...pair, mapping: { correlate } });
        return { counts, ...(await readAssessment(session)) };
      } finally {
        await session.query('rollback');
        session.release();
      }
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
  return opened;
}

async function readAssessment(session: Session): Promise<Omit<Assessment, 'counts'>> {
  const sources = await session.query<{ key: string } & AssessedResource>(
    `select source_key as key, situation, target_key as with, rule, candidates from assessed_source`,
  );
  const targets = await session.query<{ key: string; situation: Situation; with: string | null }>(
    `select target_key as key, situation, source_key as with from assessed_target`,
  );
  const byKey = <Row extends { key: string }>(rows: Row[]) =>
    Object.fromEntries(rows.map(({ key, ...rest }) => [key, rest]));
  return { sources: byKey(sources.rows), targets: byKey(targets.rows) };
}
