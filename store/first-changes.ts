/** The changes of a large first load, in a table of their own; the owner of the tables makes it, not the worker's role. */
import type { Pool, PoolClient } from 'pg';

/** The tables of the changes of resources, and of links. */
export const changesTables = { rows: 'resource_change', links: 'link_change' } as const;

export type ChangesTable = (typeof changesTables)[keyof typeof changesTables];

/** True for a table that a large first load has to itself. */
export function isOwnTable(table: string): boolean {
  return !Object.values<string>(changesTables).includes(table);
}

/** Fewer rows are not worth a table that every later look at the changes must consider. */
const worthATable = 50_000;

/**
 * Where the inserts of a first load go: into a table of their own when they are many, else among the other changes.
 *
 * @param rows how many there may be
 * @returns the name of the table
 */
export async function openFirstChanges(
  session: PoolClient,
  parent: ChangesTable,
  deltaId: bigint,
  scopeId: number,
  rows: number,
): Promise<string> {
  if (rows < worthATable) return parent;
  const result = await session.query<{ name: string }>(
    'select open_first_changes($1, $2, $3) as name',
    [parent, deltaId, scopeId],
  );
  return (result.rows[0] as { name: string }).name;
}

/** Tells the planner what is in such a table; of other changes it has to guess. */
export async function analyseFirstChanges(session: PoolClient, table: string): Promise<void> {
  await session.query('select analyse_first_changes($1)', [table]);
}

/**
 * Puts such a table beside the other changes, of which it is a part from then on; no row of it can come, go or change.
 *
 * It waits for others that do the same, and they for it until the transaction ends: the last thing to do in one.
 */
export async function sealFirstChanges(session: PoolClient, table: string): Promise<void> {
  await session.query('select seal_first_changes($1)', [table]);
}

/** Drops such tables of a delta. @returns how many rows they held */
export async function dropFirstChanges(
  session: Pool | PoolClient,
  deltaId: string,
): Promise<number> {
  const { rows } = await session.query<{ dropped: string }>(
    'select drop_first_changes($1) as dropped',
    [deltaId],
  );
  return Number(rows[0]?.dropped);
}
