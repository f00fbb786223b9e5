// Twenty kill -9 at random moments: four for each of five connectors, each of which changes every day.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLeftovers } from '../support/job-facts.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';
import { type Person, somePeople } from '../support/people.ts';

const chains = [0, 1, 2, 3, 4];
const killsOfChain = 3;
/** From before the first task of a job to after its last one. */
const longestDelayMs = 1500;
/** To repeat a run, give the seed that it printed. */
const seed = Number(process.env['LOCKSTEP_TEST_SEED'] ?? Date.now() % 1_000_000);

let stacks: JobStack[] = [];
beforeAll(async () => {
  stacks = await Promise.all(
    chains.map((chain) => startJobStack({ connectors: { [`chain${chain}`]: {} } })),
  );
});
afterAll(async () => {
  await Promise.all(stacks.map((stack) => stack[Symbol.asyncDispose]()));
});

test.concurrent.for(chains)(
  `store, history and disk are right after each kill of chain %i (LOCKSTEP_TEST_SEED=${seed})`,
  { timeout: 240_000 },
  async (chain) => {
    const stack = stacks[chain] as JobStack;
    const connector = `chain${chain}`;
    const random = generator(seed + chain);
    let worker = await stack.startWorker();
    for (let day = 0; day < killsOfChain; day += 1) {
      const people = peopleOfDay(day);
      await stack.writePeople(connector, people);
      const job = await stack.start(connector);
      const end = resumeWhenAsked(stack, job.id);
      const delayMs = Math.round(random() * longestDelayMs);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await worker.kill('SIGKILL');
      const steps = (await job.facts())?.steps ?? 'none';
      const where = `chain ${chain} day ${day}, killed after ${delayMs} ms in ${JSON.stringify(steps)}`;
      worker = await stack.startWorker();
      await end;

      const facts = await job.facts();
      expect(facts, where).toMatchObject({ state: 'succeeded', ended: true, error: null });
      expect(facts.deltas, where).toMatchObject([{ applied: true }]);
      expect(
        facts.audit.filter((action) => action === 'delta-applied'),
        where,
      ).toHaveLength(1);
      expect(await stack.people(connector), where).toEqual(people);
      expect(await readLeftovers(stack.pool, connector), where).toEqual({
        dangling: 0,
        held: 0,
        open: 0,
      });
      const extractions = await stack.extractions(connector);
      expect(
        extractions.filter((name) => name.startsWith(job.id)),
        where,
      ).toHaveLength(1);
      expect(extractions.join(), where).not.toContain('unfinished');
    }
  },
);

/** Even days are larger than odd ones by more than the limits allow, so that the gate is among the places of death. */
function peopleOfDay(day: number): Person[] {
  return somePeople(day % 2 === 0 ? 30 : 12, day);
}

/** A person who resumes whatever asks, whether a worker is up or not. */
async function resumeWhenAsked(stack: JobStack, jobId: string): Promise<void> {
  const job = stack.jobById(jobId);
  const seen = await job.waitFor('blocked', 'succeeded', 'failed', 'aborted');
  if (seen.state === 'blocked') await job.signal('resume', { by: 'jane' });
  await job.result();
}

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
function generator(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
