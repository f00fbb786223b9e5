/** Which migrations a database still lacks. */
import { readMigrations } from '../migrate.ts';
import type { ReadStore } from './read-store.ts';

/** Names of the migrations of this version that the database does not have; all of them when it is empty. */
export async function missingMigrations(store: ReadStore): Promise<string[]> {
  const { migrationDirectories } = await readMigrations();
  const names = migrationDirectories.map(({ path }) => path);
  const { rows } = await store.pool.query<{ known: boolean }>(
    `select to_regclass('_prisma_migrations') is not null as known`,
  );
  if (!rows[0]?.known) return names;
  const applied = await store.pool.query<{ name: string }>(
    'select migration_name as name from _prisma_migrations where finished_at is not null',
  );
  return names.filter((name) => !applied.rows.some((row) => row.name === name));
}
