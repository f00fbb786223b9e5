/** The migrations: they make what the schema declares, once, also when several processes come at the same time. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { migrate, readMigrations } from '../../store/migrate.ts';
import { withSchemaEngine } from '../../store/schema-engine.ts';
import { temporaryDatabase } from '../support/servers.ts';

const schemaFile = path.resolve(import.meta.dirname, '../../prisma/schema.prisma');

/** The script that makes an empty database what the datamodel declares. */
async function declared(databaseUrl: string): Promise<string> {
  const datamodel = { path: schemaFile, content: await readFile(schemaFile, 'utf8') };
  return await withSchemaEngine(databaseUrl, async (engine) => {
    const { stdout } = await engine.diff({
      from: { tag: 'empty' },
      to: { tag: 'schemaDatamodel', files: [datamodel] },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    return stdout ?? '';
  });
}

/** Columns, indexes and constraints of the tables that Prisma declares. */
async function structure(databaseUrl: string) {
  const ours = `<> '_prisma_migrations'`;
  return {
    columns: await query(
      databaseUrl,
      `select table_name, column_name, data_type, is_nullable, column_default, datetime_precision
       from information_schema.columns where table_schema = 'public' and table_name ${ours} order by 1, 2`,
    ),
    indexes: await query(
      databaseUrl,
      // The schema knows of neither partitions nor columns that an index holds beside its key.
      `select indexname, regexp_replace(replace(indexdef, ' ON ONLY ', ' ON '), ' INCLUDE .*', '') as indexdef from pg_indexes
       where schemaname = 'public' and tablename ${ours} order by 1`,
    ),
    constraints: await query(
      databaseUrl,
      `select conrelid::regclass::text as table, conname, pg_get_constraintdef(oid) as definition
       from pg_constraint where connamespace = 'public'::regnamespace
         and conrelid::regclass::text ${ours} order by 1, 2`,
    ),
  };
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
    await using migrated = await temporaryDatabase();
    await migrate(migrated.url);
    await using made = await temporaryDatabase();
    await query(made.url, await declared(made.url));
    const found = await structure(migrated.url);
    expect(found.columns.length).toBeGreaterThan(50);
    expect(found).toEqual(await structure(made.url));
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
      await query(
        database.url,
        'select migration_name from _prisma_migrations where finished_at is null',
      ),
    ).toEqual([]);
  });
});
