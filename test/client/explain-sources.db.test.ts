// Tests of `lockstep explain` where the row is not simply in the last complete extraction: incremental jobs, rollbacks.

import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { lockstepOf } from '../../client/lockstep.ts';
import { Session } from '../../client/session.ts';
import { peopleFiles, usualRows } from '../fixtures/people.ts';
import { openPeopleDatabase } from '../support/people-database.ts';
import { explained, openExplainBench } from './explain-bench.ts';

test('after incremental jobs, the row is found in the last extraction that has it', async () => {
  await using people = await openPeopleDatabase();
  const { bench, client } = people;
  await people.reset();
  // Long before the cursor, so that no overlap brings it again.
  await client.query(
    `update person set updated_at = now() - interval '3 days' where login = 'cyd'`,
  );
  const complete = await bench.sync({}, 'hr', 'complete');
  await client.query(`update person set age = '37', updated_at = now() where login = 'ada'`);
  const incremental = await bench.sync({}, 'hr', 'incremental');
  const session = new Session({
    environment: {
      DATABASE_URL: String(bench.store.pool.options.connectionString),
      LOCKSTEP_HOME: dirname(bench.extractions),
      HR_URL: people.url,
    },
  });
  try {
    const lockstep = lockstepOf(session);
    const changed = await lockstep.explain('person', 'ada');
    expect(changed.source).toMatchObject({ job: incremental.id, missing: null });
    expect(explained(changed, 'age')).toMatchObject({
      raw: '37',
      stored: 37,
      isAsRead: true,
      lastChange: { job: incremental.id, before: 36, after: 37 },
    });
    const same = await lockstep.explain('person', 'cyd');
    expect(same.source).toMatchObject({ job: complete.id, missing: null });
    expect(explained(same, 'name')).toMatchObject({ raw: 'Cyd', isAsRead: true });
  } finally {
    await session.close();
  }
});

test('after a rollback, the value that was read and the one that is stored differ, and which job made it so is told', async () => {
  await using opened = await openExplainBench();
  const { bench } = opened;
  const [ada, bob, cyd] = usualRows.people;
  await bench.sync(peopleFiles());
  const job = await bench.sync(peopleFiles({ people: [ada.replace('36', '37'), bob, cyd] }));
  const rollback = await bench.rollBack(job.id);
  const explanation = await opened.lockstep.explain('person', 'ada');
  expect(explanation.lastChange).toMatchObject({ job: rollback.id, change: 'update' });
  expect(explained(explanation, 'age')).toMatchObject({
    raw: '37',
    stored: 36,
    isAsRead: false,
    why: `${rollback.id} changed it`,
    lastChange: { job: rollback.id, before: 37, after: 36 },
  });
  expect((await opened.lockstep.history('person', 'ada')).map((entry) => entry.job)[0]).toBe(
    rollback.id,
  );
});
