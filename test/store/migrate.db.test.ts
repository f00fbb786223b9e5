/** The migrations: they make what the schema declares, once, also when several processes come at the same time. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { migrate, readMigrations } from '../../store/migrate.ts';
import { withSchemaEngine } from '../../store/schema-engine.ts';
import { temporaryDatabase } from '../support/servers.ts';

const schemaFile = path.resolve(import.meta.dirname, '../../prisma/schema.prisma');

/** What the schema engine would still have to do to make a database what a datamodel declares. */
async function missing(databaseUrl: string, datamodel: string): Promise<string> {
  return await withSchemaEngine(databaseUrl, async (engine) => {
    const { stdout } = await engine.diff({
      from: { tag: 'url', url: databaseUrl },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: datamodel }] },
      script: true,
      exitCode: null,
      shadowDatabaseUrl: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    return stdout ?? '';
  });
}

async function query(databaseUrl: string, sql: string) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the migrations', () => {
  test('make the database that schema.prisma declares', async () => {
    await using database = await temporaryDatabase();
    await migrate(database.url);
    const datamodel = await readFile(schemaFile, 'utf8');
    expect(await missing(database.url, datamodel)).toMatch(/empty migration/i);
    const more = datamodel.replace('model Lease {', 'model Lease {\n  extra String?');
    expect(await missing(database.url, more)).toContain('ADD COLUMN     "extra" TEXT');
  });

  test('are applied once', async () => {
    await using database = await temporaryDatabase();
    const { migrationDirectories } = await readMigrations();
    expect(await migrate(database.url)).toEqual(migrationDirectories.map(({ path: name }) => name));
    expect(await migrate(database.url)).toEqual([]);
  });

  test('of several processes at once take turns', async () => {
    await using database = await temporaryDatabase();
    const applied = await Promise.all([1, 2, 3].map(() => migrate(database.url)));
    const { migrationDirectories } = await readMigrations();
    expect(applied.flat()).toEqual(migrationDirectories.map(({ path: name }) => name));
    expect(
      await query(database.url, 'select migration_name from _prisma_migrations where finished_at is null'),
    ).toEqual([]);
  });
});
