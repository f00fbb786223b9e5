// temporary
import { expect, test } from 'vitest';
import { startJobStack } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';
const connectors = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
test.concurrent.for([1, 2, 3])('stress %i', { timeout: 500_000 }, async () => {
  for (let i = 0; i < 3; i++) {
    await using stack = await startJobStack({ connectors: Object.fromEntries(connectors.map((name) => [name, {}])) });
    const worker = await stack.startWorker();
    for (const c of connectors) await stack.writePeople(c, somePeople(8));
    const first = await Promise.all(connectors.map((name) => stack.synchronise(name)));
    const bad = first.filter((f) => f.state !== 'succeeded');
    if (bad.length) process.stderr.write(JSON.stringify(bad) + (await worker.log()).split('\n').filter((l) => /"level":(40|50)/.test(l) && !/Threshold/.test(l)).join('\n'));
    expect(bad.map((b) => b.error)).toEqual([]);
  }
});
