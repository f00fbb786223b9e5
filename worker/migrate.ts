/** Applies the migrations that the database does not have yet. */
import { readSettings } from '../config/settings.ts';
import { migrate } from '../store/migrate.ts';

const { databaseUrl } = readSettings();
if (databaseUrl) {
  const applied = await migrate(databaseUrl);
  process.stdout.write(
    applied.length === 0 ? 'the database is up to date\n' : `applied ${applied.join(', ')}\n`,
  );
} else {
  process.stderr.write('ConfigurationInvalid: DATABASE_URL is not set\n');
  process.exitCode = 2;
}
