#!/usr/bin/env node
/** `npm run demo:scim`: a SCIM service and our own users and roles, kept in step in both directions; thirteen steps. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ScimService, startScimService } from '../local/scim-service/scim-service.ts';
import { chapter, newestJob, play, type Stage, say, show, type } from './demo-stage.ts';
import { type Population, populate } from './scim-population.ts';

const example = fileURLToPath(new URL('../examples/scim-bidirectional/', import.meta.url));

/** Looks into the service, past Lockstep. */
async function look(service: ScimService, place: string, filter: string): Promise<void> {
  show(
    `curl ${service.endpoint}/v2${place}?filter=${filter}   # as an administrator of the service`,
  );
  const found = await service.administer('GET', `${place}?filter=${encodeURIComponent(filter)}`);
  const [resource = {}] = found['Resources'] as Record<string, unknown>[];
  const { schemas: _, meta: __, id: ___, ...rest } = resource;
  process.stdout.write(`${JSON.stringify(rest, null, 2)}\n`);
}

async function users(stage: Stage, service: ScimService): Promise<void> {
  chapter('4. Does the connection work?');
  await type(stage, 0, 'test', 'crm');
  chapter('5. The accounts come in, and become users');
  say('First a mirror of the service. It is empty, and a first load always asks.');
  await type(stage, 3, 'run', 'crm');
  await type(stage, 0, 'resume', await newestJob(stage), '--reason', 'first import, reviewed');
  say('Then every account is matched with a user; nobody is there yet, so each becomes one.');
  await type(stage, 3, 'reconcile', 'systemScimAccount_managedUser');
  await type(stage, 0, 'resume', await newestJob(stage), '--reason', 'first users, reviewed');
  chapter('6. The users');
  await type(stage, 0, 'list', 'user', '--limit', '4');
  await type(stage, 0, 'show', 'user', 'bjensen');
  chapter('7. Somebody changes a user');
  await type(stage, 0, 'set', 'user', 'bjensen', 'title=Head of Tours');
  chapter('8. The change goes back');
  const before = service.asked.length;
  await type(stage, 0, 'reconcile', 'managedUser_systemScimAccount');
  say('What the service was asked for that:');
  process.stdout.write(`${service.asked.slice(before).join('\n')}\n`);
  chapter('9. It is there');
  await look(service, '/Users', 'userName eq "bjensen"');
  say('And it does not come back as news: our own write is no change.');
  await type(stage, 0, 'run', 'crm');
  await type(stage, 0, 'reconcile', 'systemScimAccount_managedUser');
}

async function roles(stage: Stage, service: ScimService): Promise<void> {
  chapter('10. Groups become roles, with their members');
  await type(stage, 3, 'reconcile', 'systemScimGroup_managedRole');
  await type(stage, 0, 'resume', await newestJob(stage), '--reason', 'first roles, reviewed');
  await type(stage, 0, 'show', 'role', 'Tour Guides');
  chapter('11. Somebody gets a role');
  await type(stage, 0, 'link', 'role', 'Tour Guides', 'members', 'kvaughan');
  chapter('12. The membership goes back');
  const before = service.asked.length;
  await type(stage, 0, 'reconcile', 'managedRole_systemScimGroup');
  process.stdout.write(`${service.asked.slice(before).join('\n')}\n`);
  chapter('13. It is there');
  await look(service, '/Groups', 'displayName eq "Tour Guides"');
}

async function bothSides(stage: Stage, service: ScimService): Promise<void> {
  chapter('And both sides at once');
  say('In the service somebody corrects a name, while here somebody gets another mail address.');
  const filter = encodeURIComponent('userName eq "kvaughan"');
  const { Resources } = await service.administer('GET', `/Users?filter=${filter}`);
  const [{ id = '' } = {}] = Resources as { id?: string }[];
  await service.administer('PATCH', `/Users/${id}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'name.familyName', value: 'Vaughan-Hall' }],
  });
  await type(stage, 0, 'set', 'user', 'kvaughan', 'mail=kirsten.hall@tours.example');
  await type(stage, 0, 'run', 'crm');
  await type(stage, 0, 'reconcile', 'systemScimAccount_managedUser');
  await type(stage, 0, 'reconcile', 'managedUser_systemScimAccount');
  await type(stage, 0, 'show', 'user', 'kvaughan');
  await look(service, '/Users', 'userName eq "kvaughan"');
}

const directory = await mkdtemp(join(tmpdir(), 'lockstep-scim-service-'));
try {
  await using service = await startScimService(directory);
  const text = await readFile(join(example, 'population.json'), 'utf8');
  await populate(service, JSON.parse(text) as Population);
  const { endpoint, oauth } = service;
  const env = {
    CRM_ENDPOINT: endpoint,
    CRM_TOKEN_ENDPOINT: oauth.tokenEndpoint,
    CRM_CLIENT_ID: oauth.clientId,
    CRM_CLIENT_SECRET: oauth.clientSecret,
  };
  await play(join(example, 'lockstep.yaml'), { env }, async (stage) => {
    await users(stage, service);
    await roles(stage, service);
    await bothSides(stage, service);
    chapter('That was it');
    say(
      'Everything above ran on a real PostgreSQL, a real Temporal server, a SCIM server from PyPI and an\n' +
        'OAuth 2.0 server from npm, which stop now. What was configured: examples/scim-bidirectional/',
    );
  });
} finally {
  await rm(directory, { recursive: true, force: true });
}
