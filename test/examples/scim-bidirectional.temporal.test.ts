/** The thirteen steps of the example, one after the other, on real servers (S3-01, S3-07, S3-09, S3-13 to S3-22). */
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Population, populate } from '../../client/scim-population.ts';
import { type ScimService, startScimService } from '../../local/scim-service/scim-service.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';
import { type PrintedJob, type Type, typingAt } from '../support/typed-commands.ts';

const example = join(import.meta.dirname, '../../examples/scim-bidirectional');

let stack: JobStack;
let service: ScimService;
let type: Type;

interface Shown {
  readonly key: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: Readonly<Record<string, unknown>>;
}

beforeAll(async () => {
  stack = await startJobStack({ connectors: {} });
  service = await startScimService(join(stack.home, 'service'), { tokenSeconds: 2 });
  const population = JSON.parse(await readFile(join(example, 'population.json'), 'utf8'));
  await populate(service, population as Population);
  await copyFile(join(example, 'lockstep.yaml'), join(stack.home, 'lockstep.yaml'));
  const environment = {
    CRM_ENDPOINT: service.endpoint,
    CRM_TOKEN_ENDPOINT: service.oauth.tokenEndpoint,
    CRM_CLIENT_ID: service.oauth.clientId,
    CRM_CLIENT_SECRET: service.oauth.clientSecret,
  };
  type = typingAt(stack, environment);
  await stack.startWorker(environment);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
});

/** Runs something that asks, and resumes it. */
async function reviewed(...args: string[]): Promise<PrintedJob> {
  const asked = await type(...args);
  expect([asked.exitCode, asked.answer.state, asked.answer.error]).toEqual([3, 'blocked', null]);
  const { exitCode, answer } = await type('resume', asked.answer.job, '--reason', 'reviewed');
  expect([exitCode, answer.error]).toEqual([0, null]);
  return answer;
}

/** Runs something that nobody has to be asked about. */
async function unasked(...args: string[]): Promise<PrintedJob> {
  const { exitCode, answer } = await type(...args);
  expect([exitCode, answer.error, answer.breaches]).toEqual([0, null, []]);
  return answer;
}

async function inService(place: string, filter: string): Promise<Record<string, unknown>> {
  const found = await service.administer('GET', `${place}?filter=${encodeURIComponent(filter)}`);
  return (found['Resources'] as Record<string, unknown>[])[0] ?? {};
}

const writes = () => service.asked.filter((line) => !line.startsWith('GET'));

describe('the thirteen steps', () => {
  test('4: the connection works', async () => {
    const { exitCode, answer } = await type<Record<string, unknown>>('test', 'crm');
    expect([exitCode, answer['ok'], answer['name']]).toEqual([0, true, 'crm']);
  });

  test('5: accounts come in and become users', async () => {
    const { counts } = await reviewed('run', 'crm');
    expect(counts).toMatchObject({ inserted: 9, linksInserted: 7, rejected: 0 });
    const created = await reviewed('reconcile', 'systemScimAccount_managedUser');
    expect(created.counts).toMatchObject({ inserted: 6, updated: 0, deleted: 0 });
    expect(created.situations).toMatchObject({ absent: 6 });
  });

  test('6: the users are there', async () => {
    const { answer } = await type<Shown[]>('list', 'user');
    expect(answer.map(({ key }) => key)).toEqual([
      'bjensen',
      'gfarmer',
      'kvaughan',
      'pdupont',
      'rjohnson',
      'scarter',
    ]);
    expect(answer[3]?.attributes).toEqual({
      userName: 'pdupont',
      givenName: 'Pénélope',
      familyName: "D'Upont",
      title: 'Tour Guide',
      mail: 'pdupont@tours.example',
      active: true,
    });
  });

  test('7, 8: a change of a user goes back, as one PATCH', async () => {
    expect((await type('set', 'user', 'bjensen', 'title=Head of Tours')).exitCode).toBe(0);
    const before = writes().length;
    const { counts, provisioning } = await unasked('reconcile', 'managedUser_systemScimAccount');
    expect(counts).toMatchObject({ inserted: 0, updated: 1, deleted: 0 });
    expect(provisioning).toEqual({ applied: 1, notApplied: 0, failed: 0 });
    expect(writes().slice(before)).toEqual([expect.stringMatching(/^PATCH (\/v2)?\/Users\//)]);
  });

  test('9: it is there, and is no news', async () => {
    const { title, name } = await inService('/Users', 'userName eq "bjensen"');
    expect([title, name]).toEqual([
      'Head of Tours',
      { givenName: 'Barbara', familyName: 'Jensen' },
    ]);
    for (const args of [
      ['run', 'crm'],
      ['reconcile', 'systemScimAccount_managedUser'],
      ['reconcile', 'managedUser_systemScimAccount'],
    ]) {
      const { counts } = await unasked(...args);
      expect(counts).toMatchObject({ inserted: 0, updated: 0, deleted: 0, linksInserted: 0 });
    }
  });

  test('10: groups become roles, with their members', async () => {
    const { counts } = await reviewed('reconcile', 'systemScimGroup_managedRole');
    expect(counts).toMatchObject({ inserted: 3, linksInserted: 7 });
    const { answer } = await type<Shown>('show', 'role', 'Tour Guides');
    expect(answer.links['members']).toEqual(['bjensen', 'pdupont', 'rjohnson']);
  });

  test('11, 12: a new member goes back, alone', async () => {
    const added = await type('link', 'role', 'Tour Guides', 'members', 'kvaughan');
    expect(added.exitCode).toBe(0);
    const before = writes().length;
    const { counts } = await unasked('reconcile', 'managedRole_systemScimGroup');
    expect(counts).toMatchObject({ updated: 0, linksInserted: 1, linksDeleted: 0 });
    expect(writes().slice(before)).toEqual([expect.stringMatching(/^PATCH (\/v2)?\/Groups\//)]);
  });

  test('13: it is there, and a removed one goes, too', async () => {
    const membersOf = async () => {
      const { members } = await inService('/Groups', 'displayName eq "Tour Guides"');
      return (members as unknown[]).length;
    };
    expect(await membersOf()).toBe(4);
    const removed = await type('unlink', 'role', 'Tour Guides', 'members', 'bjensen');
    expect(removed.exitCode).toBe(0);
    const { counts } = await unasked('reconcile', 'managedRole_systemScimGroup');
    expect(counts).toMatchObject({ linksInserted: 0, linksDeleted: 1 });
    expect(await membersOf()).toBe(3);
  });

  test('both sides change one user: both changes are on both sides, and it is quiet then', async () => {
    const { id } = await inService('/Users', 'userName eq "kvaughan"');
    await service.administer('PATCH', `/Users/${id}`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'name.familyName', value: 'Vaughan-Hall' }],
    });
    await type('set', 'user', 'kvaughan', 'mail=kirsten.hall@tours.example');
    await unasked('run', 'crm');
    await unasked('reconcile', 'systemScimAccount_managedUser');
    await unasked('reconcile', 'managedUser_systemScimAccount');
    const { answer } = await type<Shown>('show', 'user', 'kvaughan');
    expect(answer.attributes).toMatchObject({
      familyName: 'Vaughan-Hall',
      mail: 'kirsten.hall@tours.example',
    });
    expect(await inService('/Users', 'userName eq "kvaughan"')).toMatchObject({
      name: { familyName: 'Vaughan-Hall' },
      emails: [{ type: 'work', value: 'kirsten.hall@tours.example' }],
    });
    const { counts } = await unasked('run', 'crm');
    expect(counts).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
  });

  test('a user who comes goes to the service, one who goes is disabled there', async () => {
    await type('set', 'user', 'nnew', 'familyName=New', 'givenName=Noa', 'active=true');
    const created = await unasked('reconcile', 'managedUser_systemScimAccount');
    expect(created.provisioning).toEqual({ applied: 1, notApplied: 0, failed: 0 });
    expect(await inService('/Users', 'userName eq "nnew"')).toMatchObject({ active: true });
    expect((await type('delete', 'user', 'nnew')).exitCode).toBe(0);
    await unasked('reconcile', 'managedUser_systemScimAccount');
    expect(await inService('/Users', 'userName eq "nnew"')).toMatchObject({ active: false });
  });
});
