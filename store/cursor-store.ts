/** Where the next incremental export of each scope goes on; moved only by the load of what was exported. */
import type { Store } from './database.ts';
import type { Plan } from './plan.ts';

/** The cursors of a connector by entity type or association. */
export async function readCursors(store: Store, connector: string): Promise<Map<string, string>> {
  const cursors = await store.prisma.cursor.findMany({ where: { connector } });
  return new Map(cursors.map(({ entityType, value }) => [entityType, value]));
}

/** What a delta may do to a cursor. */
export interface CursorMove {
  /** Entity type or association. */
  readonly scope: string;
  readonly value: string;
  /** Where the changes begin; null when everything was read. */
  readonly since: string | null;
}

/**
 * Makes the delta move a cursor, unless it is there already. Changes that begin elsewhere than where the cursor is leave
 * it: what lies between was never loaded.
 */
export async function noteCursor(
  { session, deltaId, connector }: Plan,
  { scope, value, since }: CursorMove,
): Promise<void> {
  await session.query(
    `insert into bookkeeping (delta_id, kind, from_key, to_key)
     select $1, 'cursor', $3, $4 from (select 1) once
     left join cursor c on c.connector = $2 and c.entity_type = $3
     where c.value is distinct from $4 and ($5::text is null or c.value = $5)`,
    [deltaId, connector, scope, value, since],
  );
}
