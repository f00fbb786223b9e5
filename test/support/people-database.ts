/** A database of people, teams and memberships, as a source: every row with a stamp, and a mark for those that are gone. */
import pg from 'pg';
import type { ConfigurationDocument } from '../../config/document.ts';
import { temporaryDatabase } from './servers.ts';
import { openSyncBench, type SyncBench } from './sync-bench.ts';

/** How the tables say what changed; by default by a stamp, and a mark on what is gone. */
export const stamped = { watermark: 'updated_at', overlap: '10m', deleted: 'gone' } as const;

export interface TableOptions {
  readonly watermark?: string;
  readonly overlap?: string | number;
  readonly deleted?: string;
}

/** People with an organisation and a manager, teams, memberships; none of them limited. */
export function databaseConfiguration(
  options: Readonly<Partial<Record<'person' | 'team' | 'member', TableOptions>>> = {},
): ConfigurationDocument {
  const source = (table: 'person' | 'team' | 'member') => ({
    table,
    ...(options[table] ?? stamped),
  });
  return {
    connectors: { hr: { kind: 'sql', url: '$' + '{HR_URL}' } },
    entityTypes: {
      person: {
        connector: 'hr',
        source: source('person'),
        key: 'login',
        properties: {
          login: { column: 'login' },
          name: { column: 'name' },
          age: { column: 'age', type: 'integer' },
          team: { column: 'team', references: 'team' },
          boss: { column: 'boss', references: 'person' },
        },
      },
      team: {
        connector: 'hr',
        source: source('team'),
        key: 'code',
        properties: { code: { column: 'code' }, label: { column: 'label' } },
      },
    },
    associations: {
      member: {
        connector: 'hr',
        source: source('member'),
        from: { entityType: 'person', property: 'teams', column: 'login' },
        to: { entityType: 'team', property: 'members', column: 'code' },
      },
    },
  };
}

/** Names of rows are their keys; `at` says how many minutes ago a row was written, `gone` that it is marked. */
const schema = `
  create table person (login text, name text, age text, team text, boss text,
    updated_at timestamptz default now() - interval '1 day', gone boolean not null default false);
  create table team (code text, label text,
    updated_at timestamptz default now() - interval '1 day', gone boolean not null default false);
  create table member (login text, code text, role text,
    updated_at timestamptz default now() - interval '1 day', gone boolean not null default false)`;

const rows = `
  insert into team (code, label) values ('dev', 'Developers'), ('ops', 'Operators');
  insert into person (login, name, age, team, boss) values
    ('ada', 'Ada', '36', 'dev', 'bob'), ('bob', 'Bob', '51', 'ops', null), ('cyd', 'Cyd', null, 'dev', 'ada');
  insert into member (login, code) values ('ada', 'dev'), ('bob', 'ops'), ('cyd', 'dev'), ('cyd', 'ops')`;

export interface PeopleDatabase extends AsyncDisposable {
  readonly url: string;
  readonly client: pg.Client;
  readonly bench: SyncBench;
  readonly document: ConfigurationDocument;
  /** Puts the usual rows in place of all others, and empties the store. */
  reset(document?: ConfigurationDocument): Promise<void>;
}

/** Opens a database of people and a store that reads it. */
export async function openPeopleDatabase(): Promise<PeopleDatabase> {
  const database = await temporaryDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(schema);
  const bench = await openSyncBench(databaseConfiguration(), { HR_URL: database.url });
  return {
    url: database.url,
    client,
    bench,
    document: databaseConfiguration(),
    async reset(document = databaseConfiguration()) {
      await bench.reset(document);
      await client.query(`truncate person, team, member; ${rows}`);
    },
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]();
      await client.end();
      await database[Symbol.asyncDispose]();
    },
  };
}
