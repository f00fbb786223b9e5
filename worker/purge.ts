/** Takes the single changes of jobs that ended before a day out of the history. */
import { writeSync } from 'node:fs';
import { readSettings } from '../config/settings.ts';
import { openStore } from '../store/database.ts';
import { purgeHistory } from '../store/history.ts';

const { databaseUrl } = readSettings();
const before = new Date(process.argv[2] ?? '');
if (databaseUrl) {
  const store = openStore(databaseUrl, 'lockstep purge');
  try {
    writeSync(1, JSON.stringify(await purgeHistory(store, before)));
  } finally {
    await store.close();
  }
} else {
  writeSync(2, 'ConfigurationInvalid: DATABASE_URL is not set\n');
  process.exitCode = 2;
}
