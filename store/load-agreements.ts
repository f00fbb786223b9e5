/** Applies what a delta says of agreements: what a mapping said of a pair when both sides last agreed. */
import type { PoolClient } from 'pg';

/**
 * Remembers what both sides agree on, within the transaction that makes them agree.
 *
 * @param among SQL: a condition on `agreement_change`, of alias `c`; default all of them
 */
export async function applyAgreements(
  session: PoolClient,
  deltaId: bigint,
  among = 'true',
): Promise<void> {
  const changes = `(select * from agreement_change c where c.delta_id = ${deltaId} and (${among})) c`;
  await session.query(
    `delete from agreed_values a using ${changes}
     where c.gone and c.navigation_property_id is null and a.mapping = c.mapping
       and a.source_id = c.source_id and a.target_id = c.target_id`,
  );
  await session.query(
    `insert into agreed_values (mapping, source_id, target_id, values)
     select mapping, source_id, target_id, values from ${changes} where not gone and values is not null
     on conflict (mapping, source_id, target_id) do update set values = excluded.values`,
  );
  await session.query(
    `delete from agreed_link a using ${changes}
     where c.gone and c.navigation_property_id is not null and a.mapping = c.mapping
       and a.navigation_property_id = c.navigation_property_id and a.from_id = c.from_id and a.to_id = c.to_id`,
  );
  await session.query(
    `insert into agreed_link (mapping, navigation_property_id, from_id, to_id)
     select mapping, navigation_property_id, from_id, to_id from ${changes}
     where not gone and navigation_property_id is not null
     on conflict do nothing`,
  );
}

/**
 * Tells whether every pair that a delta agrees about is still matched and confirmed: a person may have ended a match since.
 * After the matches of the delta are loaded.
 *
 * @param among as of {@link applyAgreements}
 */
export async function areStillMatched(
  session: PoolClient,
  deltaId: bigint,
  among = 'true',
): Promise<boolean> {
  const matchOf = (first: string, second: string) =>
    `exists (select from match m where m.state = 'confirmed' and m.first_id = c.${first} and m.second_id = c.${second})`;
  const { rows } = await session.query(
    `select from agreement_change c
     where c.delta_id = ${deltaId} and not c.gone and c.values is not null and (${among})
       and not ${matchOf('source_id', 'target_id')} and not ${matchOf('target_id', 'source_id')} limit 1`,
  );
  return rows.length === 0;
}
