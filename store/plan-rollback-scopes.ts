/** The entity types that a rollback looks at, and how much of each it leaves alone. */
import type { PoolClient } from 'pg';
import type { Plan, ScopeComparison } from './plan.ts';

/** The entity types that a delta changed, and those of the given names: no source of them is read. */
export async function scopesOf(
  session: PoolClient,
  undone: bigint,
  names: readonly string[],
): Promise<ScopeComparison[]> {
  const { rows } = await session.query<{ id: number; name: string; stored: string }>(
    `select t.id, t.name, (select count(*) from resource r where r.entity_type_id = t.id) as stored
     from entity_type t where t.name = any($2) or exists (
       select from resource_change c where c.delta_id = $1 and c.entity_type_id = t.id)
     order by t.id`,
    [undone, names],
  );
  return rows.map(({ id, name, stored }) => ({
    scope: `r${id}`,
    id,
    name,
    file: '',
    parts: undefined,
    fresh: false,
    changes: 'resource_change',
    stored: Number(stored),
    staged: 0,
    mayRepeat: false,
    mayDangle: false,
    unseen: 0,
    withoutDigest: 0,
  }));
}

/** How many rejects a job has, by entity type or association. */
export async function countRejects({ session, jobId }: Plan): Promise<Map<string, number>> {
  const { rows } = await session.query<{ name: string; count: number }>(
    'select entity_type as name, count(*)::int as count from reject where job_id = $1 group by 1',
    [jobId],
  );
  return new Map(rows.map(({ name, count }) => [name, count]));
}
