/** Reads what a mapping has to decide about, pair by pair, and takes the decisions down in temporary tables. */
import type { PoolClient } from 'pg';
import type { Mapping } from '../engine/mapping.ts';
import type { Value } from '../engine/value-format.ts';

export type Attributes = Readonly<Record<string, Value>>;

/** One reconciliation in preparation, after its situations are known. */
export interface ReconciliationPlan {
  readonly session: PoolClient;
  readonly jobId: string;
  readonly deltaId: bigint;
  readonly mapping: Mapping;
  readonly sourceTypeId: number;
  readonly targetTypeId: number;
  /** Keys of targets that are neither changed nor deleted. */
  readonly protectedKeys: readonly string[];
}

/** A source with its target, if there is one already. **Danger:** identity data. */
export interface ReconciledPair {
  readonly sourceId: string;
  readonly sourceKey: string;
  readonly source: Attributes;
  /** Null: the target is to be created. */
  readonly targetId: string | null;
  readonly target: Attributes | null;
  /** What the mapping said when both last agreed; null, never. */
  readonly agreed: Readonly<Record<string, Value | null>> | null;
  /** The same of the opposite mapping. */
  readonly oppositeAgreed: Readonly<Record<string, Value | null>> | null;
  /** Who has set the values of the side that is managed by us. */
  readonly origins: Readonly<Record<string, string>>;
}

/** What becomes of a pair. */
export interface PairDecision {
  readonly sourceId: string;
  readonly sourceKey: string;
  readonly targetId: string | null;
  readonly targetKey: string;
  /** All that the target is to hold. */
  readonly after: Attributes;
  /** What is agreed from then on; null: as before. */
  readonly agreed: Readonly<Record<string, Value | null>> | null;
  readonly oppositeAgreed: Readonly<Record<string, Value | null>> | null;
  /** Properties with an authority that the mapping sets. */
  readonly set: readonly string[];
}

/** Something about a source or target that a person should see. */
export interface ToldProblem {
  readonly key: string;
  readonly property: string | null;
  readonly code:
    | 'KeyMissing'
    | 'ValueInvalid'
    | 'ResourceProtected'
    | 'Conflict'
    | 'AuthorityRefused';
  readonly message: string;
}

const page = 1000;

/** Reads sources one page at a time and notes those that do not qualify, for `assessMapping`. */
export async function noteUnqualified(
  session: PoolClient,
  sourceTypeId: number,
  qualify: (sources: readonly Attributes[]) => Promise<readonly boolean[]>,
): Promise<void> {
  await session.query(
    'create temporary table unqualified_source (source_id bigint primary key) on commit drop',
  );
  const all = `select id, attributes from resource where entity_type_id = ${sourceTypeId}`;
  for await (const rows of pages<{ id: string; attributes: Attributes }>(session, all)) {
    const qualified = await qualify(rows.map(({ attributes }) => attributes));
    const others = rows.filter((_, nth) => !qualified[nth]).map(({ id }) => id);
    if (others.length === 0) continue;
    await session.query('insert into unqualified_source select unnest($1::bigint[])', [others]);
  }
}

/** Reads every pair whose target is to be created or compared, after `noteReactions`. Use no other cursor meanwhile. */
export function reconciledPairs(
  { session, mapping, sourceTypeId, targetTypeId }: ReconciliationPlan,
  opposite: string | null,
): AsyncIterable<ReconciledPair[]> {
  const managed =
    mapping.does === 'load'
      ? { typeId: targetTypeId, id: 'a.target_id' }
      : { typeId: sourceTypeId, id: 'a.source_id' };
  return pages<ReconciledPair>(
    session,
    `select a.source_id as "sourceId", a.source_key as "sourceKey", s.attributes as source, t.id as "targetId",
       t.attributes as target, g.values as agreed, og.values as "oppositeAgreed", coalesce(v.origins, '{}') as origins
     from reacting_source a
     join resource s on s.entity_type_id = ${sourceTypeId} and s.id = a.source_id
     left join resource t on a.doing = 'update' and t.entity_type_id = ${targetTypeId} and t.id = a.target_id
     left join agreed_values g on g.mapping = $1 and g.source_id = a.source_id and g.target_id = t.id
     left join agreed_values og on og.mapping = $2 and og.source_id = t.id and og.target_id = a.source_id
     left join value_origin v on v.entity_type_id = ${managed.typeId} and v.resource_id = ${managed.id}
     where a.doing = 'create' or (a.doing = 'update' and t.id is not null)`,
    [mapping.name, opposite],
  );
}

async function* pages<Row extends object>(
  session: PoolClient,
  query: string,
  values: readonly unknown[] = [],
): AsyncGenerator<Row[]> {
  await session.query(`declare reconciled no scroll cursor for ${query}`, [...values]);
  for (;;) {
    const { rows } = await session.query<Row>(`fetch ${page} from reconciled`);
    if (rows.length > 0) yield rows;
    if (rows.length < page) break;
  }
  await session.query('close reconciled');
}

/** Makes the tables that decisions and what is to be told are taken down in. */
export async function openDecisions(session: PoolClient): Promise<void> {
  await session.query(
    `create temporary table decided (
       source_id bigint primary key, source_key text, target_id bigint, target_key text, creates boolean, after jsonb,
       agreed jsonb, opposite_agreed jsonb, set text[]) on commit drop;
     create temporary table told (key text, property text, code text, message text) on commit drop`,
  );
}

/** Takes decisions down. What is to be created gets its id here. */
export async function takeDown(
  session: PoolClient,
  decisions: readonly PairDecision[],
  told: readonly ToldProblem[],
): Promise<void> {
  if (decisions.length > 0) {
    await session.query(
      `insert into decided
       select d."sourceId", d."sourceKey", coalesce(d."targetId", nextval('resource_id_seq')), d."targetKey",
         d."targetId" is null, d.after, d.agreed, d."oppositeAgreed", d.set
       from jsonb_to_recordset($1::jsonb) d ("sourceId" bigint, "sourceKey" text, "targetId" bigint, "targetKey" text,
         after jsonb, agreed jsonb, "oppositeAgreed" jsonb, set text[])`,
      [JSON.stringify(decisions)],
    );
  }
  if (told.length > 0) {
    await session.query(
      `insert into told select key, property, code, message
       from jsonb_to_recordset($1::jsonb) t (key text, property text, code text, message text)`,
      [JSON.stringify(told)],
    );
  }
}
