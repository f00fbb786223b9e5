/** The import list: what the last reconciliation of a mapping found of each resource, and every match as it is now. */
import type { Situation } from '../../engine/mapping.ts';
import type { ReadStore } from './read-store.ts';

/** One line of the list. Keys are identity data. */
export interface MatchDocument {
  /** Id of the match; null where there is none. */
  readonly id: string | null;
  readonly mapping: string;
  readonly situation: Situation;
  /** `confirmed` or `unconfirmed`; null where there is no match. */
  readonly state: 'confirmed' | 'unconfirmed' | null;
  /** Key of the source; null for a target without one. */
  readonly source: string | null;
  readonly target: string | null;
  /** The correlation rule in words. */
  readonly rule: string | null;
  /** Keys of targets to choose from, where there are several; at most 20. */
  readonly candidates: readonly string[];
  /** A person, or the job. */
  readonly confirmedBy: string | null;
}

/** A mapping between two entity types, by name. */
export interface ListedMapping {
  readonly name: string;
  readonly source: string;
  readonly target: string;
}

export interface MatchesFilter {
  readonly situation?: Situation | undefined;
  readonly limit?: number | undefined;
}

const rowsAtOnce = 1000;

/**
 * The list of one mapping, in the order of the keys, read at one moment. Targets without any counterpart are left out
 * unless their situation is asked for: they are everybody whom the connected system does not know.
 */
export async function* listMatches(
  { pool }: Pick<ReadStore, 'pool'>,
  mapping: ListedMapping,
  { situation, limit }: MatchesFilter,
): AsyncGenerator<MatchDocument, void, undefined> {
  const types = await pool.query<{ id: number; name: string }>(
    'select id, name from entity_type where name in ($1, $2)',
    [mapping.source, mapping.target],
  );
  const idOf = (name: string) => types.rows.find((row) => row.name === name)?.id;
  const [source, target] = [idOf(mapping.source), idOf(mapping.target)];
  if (source === undefined || target === undefined) return;
  const session = await pool.connect();
  try {
    await session.query('begin isolation level repeatable read read only');
    await session.query(
      `declare listed no scroll cursor for select * from (${lines(source, target)}) line
       where ($2::text is null and situation <> 'unassigned' or situation = $2)
       order by coalesce(source, target) collate "C", source is null, id limit $3`,
      [mapping.name, situation ?? null, limit ?? null],
    );
    for (;;) {
      const { rows } = await session.query<MatchDocument>(`fetch ${rowsAtOnce} from listed`);
      yield* rows;
      if (rows.length < rowsAtOnce) return;
    }
  } finally {
    await session.query('rollback').catch(() => {});
    session.release();
  }
}

/**
 * SQL: what is matched as it is now; what is not as the last reconciliation found it, unless it was matched since.
 *
 * @param source ids of the entity types
 */
function lines(source: number, target: number): string {
  const [own, other] = source < target ? ['first', 'second'] : ['second', 'first'];
  const pair = `m.first_type_id = ${Math.min(source, target)} and m.second_type_id = ${Math.max(source, target)}`;
  return `
    select m.id::text as id, $1::text as mapping,
      case when q.situation = 'unqualified' then 'unqualified'
        when s.id is null then 'sourceMissing'
        when t.id is null then coalesce(q.situation, 'missing')
        else m.state end as situation,
      m.state, m.${own}_key as source, m.${other}_key as target, m.rule,
      case when t.id is null then coalesce(q.candidates, '{}') else '{}'::text[] end as candidates,
      m.confirmed_by as "confirmedBy"
    from match m
    left join resource s on s.entity_type_id = ${source} and s.id = m.${own}_id
    left join resource t on t.entity_type_id = ${target} and t.id = m.${other}_id
    left join situation q on q.mapping = $1 and q.side = 'source' and q.resource_id = s.id
      and q.situation in ('unqualified', 'ambiguous', 'foundAlreadyMatched')
    where ${pair}
    union all
    select null, q.mapping, q.situation, null, case when q.side = 'source' then q.key end,
      case when q.side = 'target' then q.key when cardinality(q.candidates) = 1 then q.candidates[1] end,
      q.rule, q.candidates, null
    from situation q
    where q.mapping = $1 and q.situation not in ('confirmed', 'unconfirmed', 'missing', 'sourceMissing')
      and not exists (select from match m where ${pair}
        and case q.side when 'source' then m.${own}_id else m.${other}_id end = q.resource_id)`;
}
