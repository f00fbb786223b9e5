/** Takes out what is older than a day: the single changes of ended jobs, and extractions that nobody needs. */

import { writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { removeOldExtractions } from '../activities/extraction-retention.ts';
import { readSettings } from '../config/settings.ts';
import { openStore, type Store } from '../store/database.ts';
import { purgeHistory } from '../store/history.ts';

const { databaseUrl, extractions } = readSettings();
const [day = '', only] = process.argv.slice(2);
const before = new Date(day);
if (databaseUrl) {
  const store = openStore(databaseUrl, 'lockstep purge');
  try {
    const purged = {
      ...(only !== 'extractions' && (await purgeHistory(store, before))),
      ...(only !== 'changes' && { extractions: await purgeExtractions(store) }),
    };
    writeSync(1, JSON.stringify(purged));
  } finally {
    await store.close();
  }
} else {
  writeSync(2, 'ConfigurationInvalid: DATABASE_URL is not set\n');
  process.exitCode = 2;
}

/** @returns how many went; null where there are no extractions to be seen: on another machine than the workers' */
async function purgeExtractions(store: Store): Promise<number | null> {
  const connectors = await readdir(extractions).catch(() => null);
  if (connectors === null) return null;
  let removed = 0;
  for (const connector of connectors) {
    const retention = { connector, before, actor: 'lockstep purge' };
    removed += await removeOldExtractions({ store, extractions }, retention);
  }
  return removed;
}
