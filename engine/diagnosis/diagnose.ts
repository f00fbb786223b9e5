/** Puts the rules together: which diagnoses fit what was found in a scope, the more telling ones first. */
import { blankColumns } from './blank-source.ts';
import { dateFormatChanges } from './date-format-change.ts';
import type { Diagnosis } from './diagnosis.ts';
import { encodingDamage } from './encoding-damage.ts';
import type { Evidence } from './evidence.ts';
import { keyChange } from './key-change.ts';
import { scopeShrank } from './scope-shrank.ts';
import { swappedHeaders } from './swapped-headers.ts';

/** The likely causes of the changes of an entity type; none when they look like daily life. */
export function diagnose(evidence: Evidence): Diagnosis[] {
  const swapped = swappedHeaders(evidence);
  const explained = new Set(swapped.flatMap(({ columns }) => columns));
  const others = [
    ...keyChange(evidence),
    ...dateFormatChanges(evidence),
    ...encodingDamage(evidence),
    ...blankColumns(evidence),
  ].filter(({ columns }) => !columns.some((column) => explained.has(column)));
  const { entityType, files } = evidence;
  const key = entityType.properties.find(({ name }) => name === entityType.key)?.origin;
  const shrank = files
    ? scopeShrank(entityType.name, files, key?.from === 'column' ? [key.column] : [])
    : [];
  return [...swapped, ...others, ...shrank];
}
