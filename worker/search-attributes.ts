/** Registers our search attributes; a job that upserts an unknown one would hang. */
import type { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../workflows/identifiers.ts';

/** Temporal's numbers for the types (temporal.api.enums.v1.IndexedValueType). */
const indexedValueTypes = { Keyword: 2, KeywordList: 7 } as const;

const ALREADY_EXISTS = 6;

/** Adds what is missing in a namespace. Servers that refuse (Temporal Cloud) must be prepared by hand. */
export async function registerSearchAttributes(
  connection: NativeConnection,
  namespace: string,
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
    if ((error as { code?: number }).code !== ALREADY_EXISTS) throw error;
  }
}
