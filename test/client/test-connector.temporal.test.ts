// Tests of `lockstep test`: a worker reads a little of a connected system, and says what it is or whose fault it is; and of
// what `lockstep check` says of a SCIM service.

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { CheckReport } from '../../client/check.ts';
import { runCommandLine } from '../../client/command-line.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';
import { type ScimmyServer, startScimmyServer } from '../support/scim/scimmy-server.ts';
import { captured } from './captured-stream.ts';

let stack: JobStack;
let server: ScimmyServer;
const meta = { created: new Date(0), lastModified: new Date(0) };

beforeAll(async () => {
  const users = [{ id: 'canary-id', userName: 'canary-name', meta }];
  [stack, server] = await Promise.all([
    startJobStack({ connectors: { sab: {} } }),
    startScimmyServer({ users, groups: [] }, { user: ['sync', 's3cret'] }),
  ]);
  await stack.startWorker({
    LOCKSTEP_ACCEPT_CONFIGURATION_FILE: '1',
    TEST_SCIM_PASSWORD: 's3cret',
  });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

interface Services {
  readonly endpoint?: string;
  readonly user?: string;
  readonly path?: string;
  /** Of the connector. */
  readonly more?: object;
}

/** A configuration of a SCIM service, beside that of the stack. */
async function withService({
  endpoint = server.url,
  user = 'sync',
  path = 'userName',
  more = {},
}: Services) {
  const file = join(stack.home, 'service.yaml');
  const password = '$' + '{TEST_SCIM_PASSWORD}';
  const auth = { type: 'basic', user, password };
  const connector = { kind: 'scim', endpoint, auth, quirks: ['aligned-pages'], ...more };
  const properties = { userName: { path } };
  await writeFile(
    file,
    stringify({
      connectors: { crm: connector },
      entityTypes: { account: { connector: 'crm', source: 'User', key: 'userName', properties } },
    }),
  );
  return file;
}

async function lockstep(...args: string[]) {
  const [stdout, stderr] = [captured(), captured()];
  const exitCode = await runCommandLine(args, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    environment: {
      ...stack.environment,
      TEST_SCIM_PASSWORD: 's3cret',
    },
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

test('files that can be read are ok, and one that is gone is not', async () => {
  await stack.writePeople('sab', somePeople(3));
  const { exitCode, stdout } = await lockstep('test', 'sab', '--json');
  expect([exitCode, JSON.parse(stdout)]).toEqual([
    0,
    {
      name: 'sab',
      enabled: true,
      kind: 'csv',
      version: null,
      ok: true,
      entityTypes: expect.arrayContaining(['sab_person']),
      objectTypes: expect.arrayContaining(['people.csv']),
      capabilities: {},
      probed: {},
      quirks: [],
      error: null,
    },
  ]);
  await rm(join(stack.directory('sab'), 'people.csv'));
  const gone = await lockstep('test', 'sab');
  expect(gone.exitCode).toBe(1);
  expect(gone.stdout).toContain('sab (csv) cannot be read: SourceUnavailable');
  expect(gone.stdout).toContain('people.csv');
});

test('a connector that does not exist is named with the nearest', async () => {
  const { exitCode, stderr } = await lockstep('test', 'sap');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('did you mean “sab”?');
});

test('a service is ok after an authenticated read, and tells what it is', async () => {
  const file = await withService({});
  const { exitCode, stdout, stderr } = await lockstep('test', 'crm', '--json', '--config', file);
  expect(stderr).toBe('');
  expect([exitCode, JSON.parse(stdout)]).toEqual([
    0,
    {
      name: 'crm',
      enabled: true,
      kind: 'scim',
      version: '2.0',
      ok: true,
      entityTypes: ['account'],
      objectTypes: ['User', 'Group'],
      capabilities: {
        paging: 'index',
        pageSize: 200,
        patch: true,
        bulk: true,
        filter: true,
        etag: false,
        schemas: true,
        incremental: false,
      },
      probed: {
        address: server.url,
        User: '1 of them',
        'User by lastModified': 'the filter works',
      },
      quirks: ['aligned-pages'],
      error: null,
    },
  ]);
  expect((await lockstep('test', 'crm', '--config', file)).stdout).toContain(
    'crm (scim 2.0) answers',
  );
});

test.each<[string, () => Services, object]>([
  [
    'credentials',
    () => ({ user: 'somebody' }),
    { code: 'SourceAuthenticationFailed', cause: 'authentication' },
  ],
  [
    'name',
    () => ({ endpoint: 'https://nowhere.invalid' }),
    { code: 'SourceUnavailable', cause: 'DNS' },
  ],
  ['port', () => ({ endpoint: 'http://127.0.0.1:9' }), { code: 'SourceUnavailable', cause: 'TCP' }],
  ['path', () => ({ path: 'userNmae' }), { code: 'SourceColumnMissing', cause: 'schema' }],
])('a wrong %s is not ok, and the cause is told', async (_, services, error) => {
  const file = await withService(services());
  const { exitCode, stdout } = await lockstep('test', 'crm', '--json', '--config', file);
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ name: 'crm', kind: 'scim', ok: false, error });
  expect(stdout).not.toMatch(/s3cret|canary/);
});

test('a connector that is taken out of its schedules is tested all the same, and said to be', async () => {
  const options = ['--config', await withService({})];
  expect((await lockstep('schedules', 'apply', ...options)).exitCode).toBe(0);
  expect((await lockstep('deactivate', 'crm', ...options)).exitCode).toBe(0);
  const { stdout } = await lockstep('test', 'crm', '--json', ...options);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, enabled: false });
  expect((await lockstep('test', 'crm', ...options)).stdout).toContain('out of its schedules');
  await lockstep('activate', 'crm', ...options);
  const again = await lockstep('test', 'crm', '--json', ...options);
  expect(JSON.parse(again.stdout)).toMatchObject({ enabled: true });
});

async function check(file: string) {
  const { exitCode, stdout } = await lockstep('check', 'crm', '--json', '--config', file);
  expect(stdout).not.toMatch(/s3cret|canary/);
  return { exitCode, findings: (JSON.parse(stdout) as CheckReport).findings };
}

test.each([
  ['userNmae', 'there is no attribute “userNmae”; the nearest is “userName”'],
  ['name.givnName', '“name” has no part “givnName”; the nearest is “givenName”'],
  ['emails[typ eq "work"].value', '“emails” has no part “typ”; the nearest is “type”'],
])('check names the path %s, which the schemas do not have', async (path, problem) => {
  const { exitCode, findings } = await check(await withService({ path }));
  expect(exitCode).toBe(1);
  const source = findings.find(({ area }) => area === 'source');
  expect(source).toMatchObject({ ok: false, connector: 'crm' });
  expect(source?.message).toContain(`User has no “${path}”: ${problem}`);
});

test('check says that complete jobs have to find what incremental ones do not see', async () => {
  const told = async (schedules?: object) => {
    const more = { incremental: 'lastModified', ...(schedules && { schedules }) };
    const { exitCode, findings } = await check(await withService({ more }));
    expect(exitCode).toBe(0);
    return findings.find(({ message }) => message.includes('do not see'));
  };
  const unseen = 'crm: incremental jobs do not see who was deleted, or has left a group';
  expect(await told()).toMatchObject({ ok: true, message: unseen });
  expect(await told({ complete: 'never' })).toMatchObject({
    message: `${unseen}, and no complete job is planned to find it`,
    hint: expect.stringContaining('lockstep run crm'),
  });
});
