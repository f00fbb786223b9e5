/** The lease of a connector: at most one open job holds it, and the load checks that it still does. */
import type { PoolClient } from 'pg';
import { LockstepError } from '../engine/errors.ts';
import type { Store } from './database.ts';

/** The lease was taken, with its fence; or who has it, and who waits for it next. */
export type LeaseAnswer =
  | { readonly held: true; readonly fence: number }
  | { readonly held: false; readonly holder: string | null; readonly waiting: string | null };

/**
 * Takes the lease for a job, if nobody else holds it and nobody else's turn is next. Taking it again is harmless.
 *
 * Whether a holder still lives is for the caller to find out; `clearLease` takes it from a dead one.
 */
export async function takeLease(
  store: Store,
  connector: string,
  jobId: string,
): Promise<LeaseAnswer> {
  const taken = await store.pool.query<{ fence: string }>(
    `insert into lease as l (connector, holder, fence) values ($1, $2, 1)
     on conflict (connector) do update
       set holder = $2, since = case when l.holder = $2 then l.since else now() end,
         fence = case when l.holder = $2 then l.fence else l.fence + 1 end,
         waiting = case when l.waiting = $2 then null else l.waiting end
       where l.holder = $2 or (l.holder is null and (l.waiting is null or l.waiting = $2))
     returning fence`,
    [connector, jobId],
  );
  const fence = taken.rows[0]?.fence;
  if (fence !== undefined) return { held: true, fence: Number(fence) };
  const lease = await store.prisma.lease.findUnique({ where: { connector } });
  return { held: false, holder: lease?.holder ?? null, waiting: lease?.waiting ?? null };
}

/** Asks to be next. False when another job is next already. */
export async function waitForLease(
  store: Store,
  connector: string,
  jobId: string,
): Promise<boolean> {
  const { rowCount } = await store.pool.query(
    'update lease set waiting = $2 where connector = $1 and (waiting is null or waiting = $2)',
    [connector, jobId],
  );
  return rowCount === 1;
}

/** Gives up whatever a job has of a lease: as holder or as the next one. Also takes it from a job that is dead. */
export async function clearLease(store: Store, connector: string, jobId: string): Promise<void> {
  await store.pool.query(
    `update lease set holder = case when holder = $2 then null else holder end,
       waiting = case when waiting = $2 then null else waiting end
     where connector = $1 and (holder = $2 or waiting = $2)`,
    [connector, jobId],
  );
}

/**
 * Makes sure, for the rest of a transaction, that the job holds the lease.
 *
 * @throws LockstepError `LeaseLost` when it does not: another job took over since.
 */
export async function requireLease(
  session: PoolClient,
  connector: string,
  jobId: string,
  fence: number,
): Promise<void> {
  const { rows } = await session.query(
    'select from lease where connector = $1 and holder = $2 and fence = $3 for share',
    [connector, jobId, fence],
  );
  if (rows.length === 0) {
    throw new LockstepError('LeaseLost', `the job does not hold connector ${connector} any more`);
  }
}
