/** The identity store opened for reading: PostgreSQL itself refuses every write of these sessions. */
import { openStore, type Store } from '../database.ts';

/** What the queries of this folder need of a store; every open store will do. */
export type ReadStore = Pick<Store, 'prisma' | 'pool' | 'close'>;

/**
 * Opens the store for reading. Connections are made when first needed.
 *
 * @param name shown as `application_name` in pg_stat_activity
 */
export function openReadStore(databaseUrl: string, name: string): ReadStore {
  const url = new URL(databaseUrl);
  const given = url.searchParams.get('options');
  const readOnly = '-c default_transaction_read_only=on -c jit=off';
  url.searchParams.set('options', given === null ? readOnly : `${given} ${readOnly}`);
  // PostgreSQL takes %20 for a space here, not the + that URLSearchParams writes.
  url.search = url.search.replaceAll('+', '%20');
  return openStore(url.href, name);
}
