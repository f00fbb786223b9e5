/**
 * People change users and memberships here and in a SCIM service, at random. One round of imports and reconciliations in
 * both directions, and both sides agree; a second round plans nothing and writes nothing.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectLockstep, type JobDocument, type Lockstep } from '../../client/lockstep.ts';
import { seededRandom } from '../../examples/sab/random.ts';
import { type ScimService, startScimService } from '../../local/scim-service/scim-service.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';

const rounds = Number(process.env['LOCKSTEP_ROUNDS'] ?? 1);
const seed = Number(process.env['LOCKSTEP_SEED'] ?? 20261122);
const core = 'urn:ietf:params:scim:schemas:core:2.0';

const wide = Object.fromEntries(
  ['Inserted', 'Updated', 'Deleted'].flatMap((kind) => [
    [`maximum${kind}Lines`, 1000],
    [`maximumLink${kind}Lines`, 1000],
    [`maxPercentage${kind}Lines`, 1000],
    [`maxLinkPercentage${kind}Lines`, 1000],
  ]),
);

const both = {
  operations: ['create', 'update', 'delete'],
  onSourceMissing: 'delete',
  follows: false,
};

function configuration(service: ScimService) {
  const { endpoint, oauth } = service;
  return {
    connectors: {
      crm: {
        kind: 'scim',
        endpoint,
        auth: {
          type: 'oauth2-client-credentials',
          tokenEndpoint: oauth.tokenEndpoint,
          clientId: oauth.clientId,
          clientSecret: `\${CRM_SECRET}`,
          scope: 'scim',
        },
        schedules: { complete: 'never' },
        thresholds: { ...wide, percentageFloor: 100 },
      },
    },
    entityTypes: {
      account: {
        connector: 'crm',
        source: 'User',
        key: 'userName',
        properties: {
          userName: { path: 'userName' },
          familyName: { path: 'name.familyName' },
          title: { path: 'title' },
          nickName: { path: 'nickName' },
        },
      },
      team: {
        connector: 'crm',
        source: 'Group',
        key: 'displayName',
        properties: { displayName: { path: 'displayName' } },
      },
      user: {
        managed: true,
        key: 'userName',
        // A conflict about a title is ours to decide, about a nickname theirs; about a family name nobody stands first.
        properties: {
          userName: {},
          familyName: {},
          title: { authority: ['local', 'crm'] },
          nickName: { authority: ['crm', 'local'] },
        },
        thresholds: { ...wide, percentageFloor: 100 },
      },
      role: {
        managed: true,
        key: 'name',
        properties: { name: {} },
        thresholds: { ...wide, percentageFloor: 100 },
      },
    },
    associations: {
      member: {
        connector: 'crm',
        source: 'Group.members',
        from: { entityType: 'team', property: 'members' },
        to: { entityType: 'account', property: 'teams' },
      },
      role_member: {
        managed: true,
        from: { entityType: 'role', property: 'members' },
        to: { entityType: 'user', property: 'roles' },
        thresholds: wide,
      },
    },
    mappings: {
      account_user: {
        ...both,
        source: 'account',
        target: 'user',
        correlate: [{ source: 'userName', target: 'userName' }],
        properties: Object.fromEntries(
          ['userName', 'familyName', 'title', 'nickName'].map((name) => [name, name]),
        ),
      },
      user_account: {
        ...both,
        source: 'user',
        target: 'account',
        correlate: [{ source: 'userName', target: 'userName' }],
        properties: Object.fromEntries(
          ['userName', 'familyName', 'title', 'nickName'].map((name) => [name, name]),
        ),
      },
      team_role: {
        ...both,
        source: 'team',
        target: 'role',
        correlate: [{ source: 'displayName', target: 'name' }],
        properties: { name: 'displayName', members: 'members' },
      },
      role_team: {
        ...both,
        source: 'role',
        target: 'team',
        correlate: [{ source: 'name', target: 'displayName' }],
        properties: { displayName: 'name', members: 'members' },
      },
    },
  };
}

let stack: JobStack;
let service: ScimService;
let lockstep: Lockstep;
const next = seededRandom(seed);
const random = {
  chance: (probability: number) => next() < probability,
  pick: <Item>(items: readonly Item[]): Item => items[Math.floor(next() * items.length)] as Item,
};

beforeAll(async () => {
  stack = await startJobStack({ connectors: {} });
  service = await startScimService(join(stack.home, 'service'));
  await writeFile(join(stack.home, 'lockstep.yaml'), JSON.stringify(configuration(service)));
  const secret = { CRM_SECRET: service.oauth.clientSecret };
  lockstep = await connectLockstep({
    environment: {
      ...stack.environment,
      ...secret,
    },
  });
  await stack.startWorker(secret);
  const ids = [];
  for (let nth = 0; nth < 8; nth++) ids.push(await createAccount(`u${nth}`));
  for (const name of ['A', 'B', 'C']) {
    await service.administer('POST', '/Groups', {
      schemas: [`${core}:Group`],
      displayName: name,
      members: ids.filter(() => random.chance(0.5)).map((value) => ({ value })),
    });
  }
});
afterAll(async () => {
  await lockstep.close();
  await service[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
});

async function createAccount(userName: string): Promise<string> {
  const { id } = await service.administer('POST', '/Users', {
    schemas: [`${core}:User`],
    userName,
    name: { familyName: `Family ${userName}` },
    title: 'Novice',
    nickName: userName,
  });
  return String(id);
}

interface Listed {
  readonly id: string;
  readonly userName: string;
  readonly displayName: string;
  readonly name?: { readonly familyName?: string };
  readonly title?: string;
  readonly nickName?: string;
  readonly members?: readonly { readonly value: string }[];
}

async function inService(place: '/Users' | '/Groups'): Promise<Listed[]> {
  const { Resources } = await service.administer('GET', `${place}?count=1000`);
  const listed = (Resources ?? []) as Listed[];
  // In an order that the seed decides.
  const nameOf = ({ userName, displayName }: Listed) => userName ?? displayName;
  return listed.sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}

/** Both sides in one form: users with their values, teams with the names of their members. */
async function theirs() {
  const accounts = await inService('/Users');
  const names = new Map(accounts.map(({ id, userName }) => [id, userName]));
  return {
    users: accounts
      .map(({ userName, name, title, nickName }) => [
        userName,
        ...[name?.familyName, title, nickName].map((value) => value ?? null),
      ])
      .toSorted(),
    teams: (await inService('/Groups'))
      .map(({ displayName, members = [] }) => [
        displayName,
        ...members.map(({ value }) => names.get(value)).toSorted(),
      ])
      .toSorted(),
  };
}

async function ours() {
  const users = [];
  for await (const { key, attributes } of lockstep.list('user')) {
    const { familyName = null, title = null, nickName = null } = attributes;
    users.push([key, familyName, title, nickName]);
  }
  const teams = [];
  for await (const { key, links } of lockstep.list('role')) {
    teams.push([key, ...[links['members'] ?? []].flat().toSorted()]);
  }
  return { users: users.toSorted(), teams: teams.toSorted() };
}

async function job(started: Promise<JobDocument>): Promise<JobDocument> {
  const asked = await started;
  const done = asked.state === 'blocked' ? await lockstep.resume(asked.job) : asked;
  expect([done.job, done.state, done.error]).toEqual([done.job, expect.anything(), null]);
  expect(done.state).toMatch(/^succeeded/);
  return done;
}

/** In before out: what the service says counts as soon as it is known. */
async function round(): Promise<JobDocument[]> {
  return [
    await job(lockstep.run('crm')),
    await job(lockstep.reconcile('account_user')),
    await job(lockstep.reconcile('team_role')),
    await job(lockstep.reconcile('user_account')),
    await job(lockstep.reconcile('role_team')),
  ];
}

const values = ['', 'Guide', 'Chief', 'Ö', "O'Neill", 'a "quoted" one'];
let newcomers = 0;

/** What was done, to be told when it does not settle. */
const story: string[] = [];

async function changeOurs(): Promise<void> {
  const { users, teams } = await ours();
  const user = String(random.pick(users)[0]);
  const [team = '', ...members] = random.pick(teams).map(String);
  const kind = random.pick(['set', 'set', 'link', 'link', 'create', 'delete']);
  story.push(`ours: ${kind} ${user} ${team}`);
  if (kind === 'set') {
    const property = random.pick(['familyName', 'title', 'nickName']);
    // Theirs comes first here: what they have set, only they may change.
    await lockstep.set('user', user, { [property]: random.pick(values) || null }).catch(refused);
  } else if (kind === 'link') {
    if (members.includes(user)) await lockstep.unlink('role', team, 'members', user);
    else await lockstep.link('role', team, 'members', user);
  } else if (kind === 'create') {
    newcomers += 1;
    await lockstep.set('user', `ours${newcomers}`, { familyName: 'New', title: 'Chief' });
  } else if (users.length > 4) {
    await lockstep.delete('user', user);
  }
}

function refused(error: { code?: string }): void {
  if (error.code !== 'AuthorityRefused') throw error;
}

async function changeTheirs(): Promise<void> {
  const account = random.pick(await inService('/Users'));
  const team = random.pick(await inService('/Groups'));
  const kind = random.pick(['set', 'set', 'link', 'link', 'create', 'delete']);
  const patch = (place: string, operation: object) =>
    service.administer('PATCH', place, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [operation],
    });
  story.push(`theirs: ${kind} ${account.userName} ${team.displayName}`);
  if (kind === 'set') {
    const path = random.pick(['name.familyName', 'title', 'nickName']);
    const value = random.pick(values);
    const op = value === '' ? { op: 'remove', path } : { op: 'replace', path, value };
    await patch(`/Users/${account.id}`, op);
  } else if (kind === 'link') {
    const isMember = team.members?.some(({ value }) => value === account.id);
    await patch(
      `/Groups/${team.id}`,
      isMember
        ? { op: 'remove', path: `members[value eq "${account.id}"]` }
        : { op: 'add', path: 'members', value: [{ value: account.id }] },
    );
  } else if (kind === 'create') {
    newcomers += 1;
    await createAccount(`theirs${newcomers}`);
  } else if ((await inService('/Users')).length > 4) {
    for (const each of await inService('/Groups')) {
      if (each.members?.some(({ value }) => value === account.id)) {
        await patch(`/Groups/${each.id}`, {
          op: 'remove',
          path: `members[value eq "${account.id}"]`,
        });
      }
    }
    await service.administer('DELETE', `/Users/${account.id}`);
  }
}

test(`two directions settle in one round and stay settled (seed ${seed})`, {
  timeout: 120_000 * rounds,
}, async () => {
  await round();
  expect(await ours()).toEqual(await theirs());
  for (let nth = 0; nth < rounds; nth++) {
    for (let change = 0; change < 4; change++) {
      await changeOurs();
      await changeTheirs();
    }
    await round();
    expect(await ours(), story.join('\n')).toEqual(await theirs());
    const before = service.asked.length;
    const quiet = await round();
    for (const { counts, job: id } of quiet) {
      expect([id, counts]).toEqual([
        id,
        expect.objectContaining({
          inserted: 0,
          updated: 0,
          deleted: 0,
          linksInserted: 0,
          linksUpdated: 0,
          linksDeleted: 0,
        }),
      ]);
    }
    expect(service.asked.slice(before).filter((line) => !line.startsWith('GET'))).toEqual([]);
  }
});
