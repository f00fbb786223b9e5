/** Reads the digests of the stored records of one scope, in the order in which they lie in their table. */
import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { DigestSet } from '../engine/digest-set.ts';

/** The digests of one scope's stored records, and what else its table holds. */
export interface StoredDigests {
  readonly digests: DigestSet;
  /** Resources or links, whether they have a digest or not. */
  readonly stored: number;
  /** How many resources (links, pending links) carry no digest. */
  readonly withoutDigest: number;
  /** Nothing of it was ever loaded: it has no table of its own yet, and nothing waits for it. */
  readonly fresh: boolean;
}

/** Blocks read by one statement: its answer, of some 4 MB, is all that is in memory beside the set. */
const blocksAtOnce = 2048;

/** Reads the digests of an entity type's stored resources. */
export async function storedResourceDigests(
  session: PoolClient,
  entityTypeId: number,
): Promise<StoredDigests> {
  return await readTable(session, `resource_${entityTypeId}`);
}

/** Reads the digests of an association's stored links and of its pending ones. */
export async function storedLinkDigests(
  session: PoolClient,
  navigationPropertyId: number,
): Promise<StoredDigests> {
  const links = await readTable(session, `link_${navigationPropertyId}`);
  const pending = await aggregate(
    session,
    `pending_link where navigation_property_id = ${navigationPropertyId}`,
  );
  links.digests.addAll(pending.digests);
  return {
    ...links,
    withoutDigest: links.withoutDigest + pending.rows - pending.digests.length / 16,
    fresh: links.fresh && pending.rows === 0,
  };
}

/** Counts the stored resources of an entity type, or the links of a navigation property. */
export async function countStored(
  session: PoolClient,
  kind: 'rows' | 'links',
  id: number,
): Promise<number> {
  const { rows } = await session.query<{ count: string }>(
    kind === 'rows'
      ? `select count(*) from resource where entity_type_id = ${id}`
      : `select count(*) from link where navigation_property_id = ${id}`,
  );
  return Number(rows[0]?.count);
}

async function readTable(session: PoolClient, table: string): Promise<StoredDigests> {
  const { rows } = await session.query<{ blocks: number | null; tuples: number }>(
    `select ceil(pg_relation_size(c.oid) / current_setting('block_size')::numeric)::int as blocks,
       greatest(c.reltuples, 0)::float8 as tuples
     from pg_class c where c.oid = to_regclass($1)`,
    [table],
  );
  const [size] = rows;
  const digests = new DigestSet(Math.ceil((size?.tuples ?? 0) * 1.02));
  let stored = 0;
  let withoutDigest = 0;
  for (let from = 0; from < (size?.blocks ?? 0); from += blocksAtOnce) {
    const range = `ctid >= '(${from},0)' and ctid < '(${from + blocksAtOnce},0)'`;
    const part = await aggregate(session, `${table} where ${range}`);
    digests.addAll(part.digests);
    stored += part.rows;
    withoutDigest += part.rows - part.digests.length / 16;
  }
  return { digests, stored, withoutDigest, fresh: size === undefined };
}

/**
 * One value holds the digests of many rows: a message for each would cost more than reading it. It comes by COPY, the
 * only way on which the driver leaves bytes as they are.
 */
async function aggregate(session: PoolClient, from: string) {
  const query = `select count(*) as rows, string_agg(uuid_send(source_digest), '') from ${from}`;
  const chunks: Buffer[] = [];
  for await (const chunk of session.query(copyTo(`copy (${query}) to stdout (format binary)`))) {
    chunks.push(chunk as Buffer);
  }
  const bytes = Buffer.concat(chunks);
  // The file's header (19 bytes), the number of fields (2), then each field's length (4) before it; -1 for null.
  const rows = Number(bytes.readBigInt64BE(25));
  const length = Math.max(0, bytes.readInt32BE(33));
  return { rows, digests: bytes.subarray(37, 37 + length) };
}
