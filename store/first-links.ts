/** Tables of links that a delta brings together with their ends: made by another session, while the load makes those. */
import type { Store } from './database.ts';
import type { ReviewedDelta } from './reviewed-delta.ts';
import { hasConnectionToSpare } from './sessions-beside.ts';

/** Navigation property → how many links the table holds that was made for it. */
export type BuiltLinks = ReadonlyMap<number, number>;

/**
 * Runs `work`, which inserts resources, and makes the tables of links beside it, where there is a connection to spare: a
 * transaction that waits for another connection while it holds one could wait for ever. Links without such a table are
 * left to the load, as are those of which an end is stored already.
 */
export async function buildLinksBeside(
  store: Store,
  { id, sealed }: Pick<ReviewedDelta, 'id' | 'sealed'>,
  work: () => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<BuiltLinks> {
  const many = sealed.filter(({ table }) => table === 'link_change').map(({ scope }) => scope);
  const stop = new AbortController();
  const [worked, built] = await Promise.allSettled([
    work().catch((error) => {
      stop.abort();
      throw error;
    }),
    many.length > 0 && hasConnectionToSpare(store)
      ? build(store, id, many, AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]))
      : new Map<number, number>(),
  ]);
  if (worked.status === 'rejected') throw worked.reason;
  if (built.status === 'rejected') throw built.reason;
  return built.value;
}

/** Each in a transaction of its own: what one of them made stays if another fails, and is made anew the next time. */
async function build(
  store: Store,
  deltaId: bigint,
  navigations: readonly number[],
  signal: AbortSignal,
): Promise<BuiltLinks> {
  const built = new Map<number, number>();
  for (const navigation of navigations) {
    signal.throwIfAborted();
    const links = await store.transaction(
      'read committed',
      async (session) => {
        const { rows } = await session.query<{ links: string | null }>(
          'select build_first_links($1, $2) as links',
          [navigation, deltaId],
        );
        return rows[0]?.links ?? null;
      },
      signal,
    );
    if (links !== null) built.set(navigation, Number(links));
  }
  return built;
}
