/** SQL that says of which deltas the store holds the outcome. */

/** True for a delta `d` that changes something. */
export const changesSomething = `exists (select from jsonb_each_text(d.counts) c
  where c.key not in ('read', 'rejected', 'unchanged') and c.value <> '0')`;

/**
 * True for a delta `d` of a job `j` after which the store held what the delta's extraction says: it was applied, or there was
 * nothing to apply, and no row was set aside; and it was not rolled back since. Of several the one of the highest id is the last: jobs of a connector take turns.
 */
export const wasLoaded = `(d.applied_at is not null or (not j.simulated
  and j.state = 'succeeded' and not ${changesSomething}))
  and not exists (select from job b join delta u on u.job_id = b.id and u.applied_at is not null
                  where b.rollback_of = j.id)`;
