// Whatever is edited on either side: after a round of all mappings both sides say the same, and the next round plans nothing.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bothDirections } from '../fixtures/both-directions.ts';
import { openReconcileBench, type ReconcileBench } from '../support/reconcile-bench.ts';

let bench: ReconcileBench;
beforeAll(async () => {
  bench = await openReconcileBench(bothDirections());
});
afterAll(() => bench[Symbol.asyncDispose]());

const inward = ['accountToUser', 'teamToRole'];
const outward = ['userToAccount', 'roleToTeam'];

const key = fc.constantFrom('ann', 'bob', 'cyd');
const value = fc.constantFrom('x', 'y', undefined);
const resource = fc.record({
  what: fc.constant('put' as const),
  side: fc.constantFrom('user', 'account'),
  ...{ key, givenName: value, mail: value },
});
const link = fc.record({
  what: fc.constantFrom('link' as const, 'unlink' as const),
  side: fc.constantFrom('assignment', 'member'),
  key,
});
const edits = fc.array(fc.oneof(resource, link), { minLength: 1, maxLength: 6 });

type Edit = typeof edits extends fc.Arbitrary<(infer Each)[]> ? Each : never;

async function make(edit: Edit): Promise<void> {
  if (edit.what === 'put') {
    const { givenName, mail } = edit;
    const attributes = { userName: edit.key, givenName, mail };
    return await bench.put(edit.side, edit.key, attributes);
  }
  const isThere = (await bench.links(edit.side)).includes(`T → ${edit.key}`);
  const end = edit.side === 'member' ? 'account' : 'user';
  const exists = Object.hasOwn(await bench.all(end), edit.key);
  if (edit.what === 'link' && exists && !isThere) await bench.link(edit.side, 'T', edit.key);
  if (edit.what === 'unlink' && isThere) await bench.unlink(edit.side, 'T', edit.key);
}

test('both sides converge within a round, in either order', async () => {
  await fc.assert(
    fc.asyncProperty(edits, edits, fc.boolean(), async (first, second, inFirst) => {
      await bench.reset(bothDirections());
      await bench.put('team', 'T', { name: 'T' });
      await bench.put('role', 'T', { name: 'T' });
      const round = inFirst ? [...inward, ...outward] : [...outward, ...inward];
      for (const each of [first, second]) {
        for (const edit of each) await make(edit);
        for (const mapping of round) await bench.reconcile(mapping);
        // Who is new on one side has a counterpart on the other only now.
        for (const mapping of round) await bench.reconcile(mapping);
        expect(await bench.all('account')).toEqual(await bench.all('user'));
        expect(await bench.links('member')).toEqual(await bench.links('assignment'));
        for (const mapping of round) {
          const { summary } = await bench.reconcile(mapping);
          expect(summary.empty, mapping).toBe(true);
        }
      }
    }),
    { numRuns: 3, seed: 6 },
  );
}, 600_000);
