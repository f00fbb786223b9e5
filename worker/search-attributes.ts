/** Registers our search attributes; a job that upserts an unknown one would hang. */
import type { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../workflows/identifiers.ts';
import type { WorkerLog } from './log.ts';

/** Temporal's numbers for the types (temporal.api.enums.v1.IndexedValueType). */
const indexedValueTypes = { Keyword: 2, KeywordList: 7 } as const;

const ALREADY_EXISTS = 6;

/** Adds what is missing in a namespace. Servers that refuse (Temporal Cloud) must be prepared by hand. */
export async function registerSearchAttributes(
  connection: NativeConnection,
  namespace: string,
  log: WorkerLog['jobs'],
): Promise<void> {
  const types = Object.entries(searchAttributes).map(
    ([name, type]) => [name, indexedValueTypes[type]] as const,
  );
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(types),
    });
  } catch (error) {
    const { code } = error as { code?: number };
    if (code === ALREADY_EXISTS) return;
    // Temporal Cloud lets nobody do this here; jobs say so if they are missing.
    log.warn(
      { code, names: Object.keys(searchAttributes) },
      'search attributes could not be registered',
    );
  }
}
