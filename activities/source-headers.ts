/** Whether the exported sources of a connector have the columns that are mapped. */
import type { ExtractedFile } from '../connectors/connector.ts';
import type { ColumnFact } from '../engine/check-fact.ts';
import type { Association, EntityType } from '../engine/entity-type.ts';
import { fileName, readHeader } from './mapped-source.ts';

/** An exported file, and where it is. */
export interface CheckedFile {
  readonly root: string;
  readonly extraction: string;
  readonly file: ExtractedFile;
}

/** What is mapped to a source. */
export type Mapping = EntityType | Association;

/** What is wrong with the columns of a source for one that is mapped to it. */
export async function columnFacts(
  mapping: Mapping,
  { root, extraction, file }: CheckedFile,
): Promise<ColumnFact[]> {
  const header = await readHeader(root, extraction, file);
  const mapped = mappedTo(mapping);
  const columns = mapped.map(({ column }) => column);
  const missing = header.missing(columns);
  const repeated = header.repeated(columns.filter((column) => !missing.includes(column)));
  const isHeader = missing.length < columns.length;
  const factsOf = (fact: ColumnFact['fact'], wrong: readonly string[]) =>
    mapped
      .filter(({ column }) => wrong.includes(column))
      .map(({ property, column }): ColumnFact => {
        const headings = isHeader && fact === 'column-missing' ? header.names : [];
        return { fact, source: fileName(file), scope: mapping.name, property, column, headings };
      });
  return [...factsOf('column-missing', missing), ...factsOf('column-repeated', repeated)];
}

function mappedTo(mapping: Mapping): { property: string; column: string }[] {
  if (!('properties' in mapping)) {
    return (['from', 'to'] as const).map((end) => ({ property: end, column: mapping[end].column }));
  }
  return mapping.properties.flatMap(({ name, origin }) =>
    origin.from === 'column' ? [{ property: name, column: origin.column }] : [],
  );
}
