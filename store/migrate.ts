/** Brings the database to the schema this version of Lockstep needs. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { withSchemaEngine } from './schema-engine.ts';

const migrationsDirectory = fileURLToPath(new URL('../prisma/migrations/', import.meta.url));

/** Any number: it names the lock under which migrations of one database take turns. */
const migrationLock = 7_105_101;

/**
 * Applies the migrations the database does not have yet, and tells their names. Several processes may do it at once.
 *
 * Keeps Prisma's own `_prisma_migrations`, so that `prisma migrate deploy` agrees.
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const session = new pg.Client({ connectionString: databaseUrl });
  // Nobody waits for it while the engine works: whoever loses it loses the engine's connection as well.
  session.on('error', () => {});
  await session.connect();
  try {
    await session.query('select pg_advisory_lock($1)', [migrationLock]);
    return await withSchemaEngine(databaseUrl, async (engine) => {
      const { appliedMigrationNames } = await engine.applyMigrations({
        migrationsList: await readMigrations(),
        filters: { externalTables: [], externalEnums: [] },
      });
      return appliedMigrationNames;
    });
  } finally {
    await session.end();
  }
}

/** The migrations of this version, in the form the schema engine takes. */
export async function readMigrations() {
  const entries = await readdir(migrationsDirectory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return {
    baseDir: migrationsDirectory,
    lockfile: {
      path: 'migration_lock.toml',
      content: await readFile(`${migrationsDirectory}migration_lock.toml`, 'utf8'),
    },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.sort().map(async (path) => ({
        path,
        migrationFile: {
          path: 'migration.sql',
          content: {
            tag: 'ok' as const,
            value: await readFile(`${migrationsDirectory}${path}/migration.sql`, 'utf8'),
          },
        },
      })),
    ),
  };
}
