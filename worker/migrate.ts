/** Applies the migrations that the database does not have yet. */
import { writeSync } from 'node:fs';
import { readSettings } from '../config/settings.ts';
import { migrate } from '../store/migrate.ts';

const { databaseUrl } = readSettings();
if (databaseUrl) {
  const applied = await migrate(databaseUrl);
  writeSync(
    1,
    applied.length === 0 ? 'the database is up to date\n' : `applied ${applied.join(', ')}\n`,
  );
  // The schema engine leaves a timer behind that would keep the process for ten seconds.
  process.exit();
}
writeSync(2, 'ConfigurationInvalid: DATABASE_URL is not set\n');
process.exitCode = 2;
