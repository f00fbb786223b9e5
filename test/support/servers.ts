// The servers that tests share: their addresses, as `inject` gives them, and a database for one file.

import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The shared PostgreSQL; use `temporaryDatabase` rather than its own database. (db, temporal, time-skipping) */
    databaseUrl: string;
    /** A database that is migrated and that nobody connects to, to make others of. (db, temporal, time-skipping) */
    migratedTemplate: string;
    /** `host:port` of the shared Temporal dev server. (temporal) */
    temporalAddress: string;
    /** The `temporal` program, to start another server or to send a signal with. (temporal) */
    temporalBinary: string;
    /** The log file of the shared Temporal dev server. (temporal) */
    temporalLog: string;
    /** Path of the bundled workflows, for `LOCKSTEP_WORKFLOW_BUNDLE`. (temporal, time-skipping) */
    workflowBundle: string;
    /** The time-skipping test server, or undefined: then skip, with a reason. (time-skipping) */
    testServerBinary: string | undefined;
  }
}

/** An empty database of its own on the shared server; `await using` drops it at the end. */
export interface TemporaryDatabase extends AsyncDisposable {
  readonly url: string;
}

/** Creates an empty database; dropping it ends the sessions that are still open. */
export function temporaryDatabase(): Promise<TemporaryDatabase> {
  return createDatabase('template1');
}

/** Creates a database with our schema and nothing in it: as {@link temporaryDatabase}, and migrated. */
export function migratedDatabase(): Promise<TemporaryDatabase> {
  return createDatabase(inject('migratedTemplate'));
}

async function createDatabase(template: string): Promise<TemporaryDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(inject('databaseUrl'));
  url.pathname = `/${name}`;
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function administer(sql: string): Promise<void> {
  const client = new Client({ connectionString: inject('databaseUrl') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
