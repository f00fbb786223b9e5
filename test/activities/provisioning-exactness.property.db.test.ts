/** However many writes are under way at once, as many are made as were planned; and none of a delta that nobody let pass. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crmConfiguration } from '../fixtures/crm.ts';
import { type CrmBench, newAccount, openCrmBench } from '../support/crm-bench.ts';
import { planDelta } from '../support/planned-delta.ts';

let crm: CrmBench;

beforeAll(async () => {
  crm = await openCrmBench();
});
afterAll(async () => {
  await crm?.[Symbol.asyncDispose]();
});

test('with 1 to 64 at once: all of what is planned, each once, or nothing', async () => {
  let most = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 2, 3, 7, 16, 64),
      fc.integer({ min: 0, max: 70 }),
      fc.boolean(),
      fc.boolean(),
      async (concurrency, planned, isBreached, together) => {
        const more = { concurrency, ...(!together && { overrides: { bulk: false as const } }) };
        crm.bench.configure(crmConfiguration(`${crm.proxy.url}/scim`, more));
        await crm.begin();
        let under = 0;
        most = 0;
        crm.intercept(async (request, forward) => {
          if (request.method !== 'POST') return forward(request);
          under += 1;
          most = Math.max(most, under);
          const answer = await forward(request);
          under -= 1;
          return answer;
        });
        const names = Array.from({ length: planned }, (_, nth) => `new${nth}`);
        const job = await planDelta(crm.bench, {
          resources: names.map(newAccount),
          breaches: isBreached ? [{ threshold: 'maximumInsertedLines' }] : [],
        });
        const outcome = await job.provision().catch((error: { type: string }) => error.type);
        await job.end();
        const posts = crm.writes().length;
        expect(most).toBeLessThanOrEqual(concurrency);
        if (isBreached) {
          expect(outcome).toBe('InternalError');
          expect(posts).toBe(0);
        } else {
          expect(outcome).toMatchObject({ applied: planned, notApplied: 0, failed: 0 });
          expect(posts).toBe(together && planned > 2 ? 1 : planned);
        }
        expect(crm.contents.users).toHaveLength(3 + (isBreached ? 0 : planned));
        crm.intercept();
      },
    ),
    {
      numRuns: 8,
      examples: [
        [64, 70, false, false],
        [1, 5, true, true],
        [3, 70, false, true],
      ],
    },
  );
});
