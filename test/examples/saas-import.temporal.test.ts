/** The example of an import: what becomes of each account, and who may say so (S0-01, S0-05 to S0-16, S1-18). */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { currentIdentity } from '../../client/identity.ts';
import { connectLockstep } from '../../client/lockstep.ts';
import { type ScimService, startScimService } from '../../local/scim-service/scim-service.ts';
import type { JobSummary } from '../../store/queries/jobs.ts';
import type { MatchDocument } from '../../store/queries/matches.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';
import { type Type, typingAt } from '../support/typed-commands.ts';

const example = join(import.meta.dirname, '../../examples/saas-import');
const mapping = 'appAccount_identity';

let stack: JobStack;
let service: ScimService;
let type: Type;
let environment: Record<string, string>;

beforeAll(async () => {
  stack = await startJobStack({ connectors: {} });
  service = await startScimService(join(stack.home, 'service'));
  let desk = '';
  for (const [userName, mail] of [
    ['AOkafor', 'someone@else.example'],
    ['stranger', 'stranger@app.example'],
    ['desk', 'shared.desk@plant.example'],
  ]) {
    const { id } = await service.administer('POST', '/Users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName,
      emails: [{ type: 'work', value: mail }],
    });
    desk = String(id);
  }
  await service.administer('POST', '/Groups', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    displayName: 'Everybody',
    members: [{ value: desk }],
  });
  await cp(example, stack.home, { recursive: true });
  const file = join(stack.home, 'lockstep.yaml');
  const yaml = await readFile(file, 'utf8');
  await writeFile(file, yaml.replace('[app-admin]', `["${currentIdentity()}"]`));
  environment = { APP_ENDPOINT: service.endpoint, APP_TOKEN: await tokenOf(service) };
  type = typingAt(stack, environment);
  await stack.startWorker(environment);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
});

/** A token for whoever imports, from the service's own OAuth server. */
async function tokenOf({ oauth }: ScimService): Promise<string> {
  const credentials = `${oauth.clientId}:${encodeURIComponent(oauth.clientSecret)}`;
  const answer = await fetch(oauth.tokenEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'scim' }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

async function reviewed(job: string): Promise<void> {
  const { exitCode, answer } = await type('resume', job, '--reason', 'reviewed');
  expect([exitCode, answer.error]).toEqual([0, null]);
}

/** The reconciliation that follows by itself, once it asks or has ended. */
async function followUp(name: string): Promise<JobSummary> {
  return await expect
    .poll(
      async () => {
        const { answer } = await type<JobSummary[]>('jobs', '--limit', '20');
        return answer.find((job) => job.mapping === name && job.state !== 'running');
      },
      { timeout: 60_000 },
    )
    .toBeDefined()
    .then(async () => {
      const { answer } = await type<JobSummary[]>('jobs', '--limit', '20');
      return answer.find((job) => job.mapping === name && job.state !== 'running') as JobSummary;
    });
}

const matches = async (...args: string[]) =>
  (await type<MatchDocument[]>('matches', mapping, ...args)).answer;

describe('the import', () => {
  test('everybody of the personnel file becomes an identity, by a reconciliation that follows', async () => {
    const { exitCode, answer } = await type('run', 'personnel');
    expect([exitCode, answer.state]).toEqual([3, 'blocked']);
    await reviewed(answer.job);
    const followed = await followUp('person_identity');
    expect(followed).toMatchObject({ state: 'blocked', counts: { inserted: 6 } });
    await reviewed(followed.job);
  });

  test('an account has its identity, none, or several: only the first is matched, and nobody is written to', async () => {
    const before = (await type<unknown[]>('list', 'identity')).answer;
    const { answer } = await type('run', 'app');
    await reviewed(answer.job);
    const { state, counts } = await followUp(mapping);
    expect(state).toMatch(/^succeeded/);
    expect(counts).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    const list = await matches();
    expect(list.map(({ source, situation, state: match }) => [source, situation, match])).toEqual([
      ['AOkafor', 'unconfirmed', 'unconfirmed'],
      ['desk', 'ambiguous', null],
      ['stranger', 'absent', null],
    ]);
    expect(list[1]?.candidates).toEqual(['dnunes', 'ekaya']);
    expect((await type<unknown[]>('list', 'identity')).answer).toEqual(before);
    expect(service.asked.filter((line) => !line.startsWith('GET'))).toEqual([]);
  });

  test('only an application administrator confirms', async () => {
    const [{ id = '' } = {}] = (await matches('--unconfirmed')) as { id?: string }[];
    await using viewer = await connectLockstep({
      environment: {
        ...stack.environment,
        ...environment,
      },
      identity: 'viewer@elsewhere',
    });
    await expect(viewer.confirm(id)).rejects.toMatchObject({ code: 'NotApprover' });
    expect(await matches('--unconfirmed')).toHaveLength(1);
    expect((await type('confirm', id)).exitCode).toBe(0);
    expect(await matches('--unconfirmed')).toEqual([]);
  });

  test('what is confirmed is written by the reconciliation that follows, and then there is nothing to do', async () => {
    const attributes = async () =>
      (await type<{ attributes: object }>('show', 'identity', 'aokafor')).answer.attributes;
    await expect
      .poll(attributes, { timeout: 60_000 })
      .toMatchObject({ appId: 'AOkafor', name: 'Ada Okafor' });
    const again = (await type('reconcile', mapping)).answer;
    expect(again.counts).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
  });

  test('a person says which of several it is', async () => {
    expect((await type('match', mapping, 'desk', 'ekaya')).exitCode).toBe(0);
    await expect
      .poll(
        async () =>
          (await type<{ attributes: object }>('show', 'identity', 'ekaya')).answer.attributes,
        { timeout: 60_000 },
      )
      .toMatchObject({ appId: 'desk' });
  });
});
