// Runs a connector, prints what it would change, and resumes the job when it asks. With a `lockstep dev` running:
// npx node examples/trigger-run.ts sab
import { connectLockstep } from '../client/lockstep.ts';

const connector = process.argv[2] ?? 'sab';
await using lockstep = await connectLockstep({ note: console.error });

let job = await lockstep.run(connector);
console.log(`${job.job} is ${job.state}`);
console.table({ total: job.counts, ...job.entityTypes, ...job.associations });

if (job.state === 'blocked') {
  for (const { threshold, scope, planned, allowed } of job.breaches) {
    console.log(`${scope}: ${planned} planned, ${allowed} allowed (${threshold})`);
  }
  for await (const change of lockstep.changes(job.job, { limit: 3 })) console.log(change);
  // A person, or a rule of yours, decides here. It applies to exactly what was shown.
  job = await lockstep.resume(job.job, { reason: 'reviewed by the example' });
  console.log(`${job.job} is ${job.state}`);
}
process.exitCode = job.state.startsWith('succeeded') ? 0 : 1;
