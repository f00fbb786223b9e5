/** Reads one CSV file of people as the product does, up to the store: exported, scanned, parsed and mapped. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCsvConnector } from '../../connectors/csv/csv-connector.ts';
import { parseEach, parseRecords } from '../../connectors/record-parser.ts';
import { defaultDrift } from '../../engine/diagnosis/drift.ts';
import type { EntityType } from '../../engine/entity-type.ts';
import { RecordScanner } from '../../engine/record-scanner.ts';
import { compileEntityMapping, Header } from '../../engine/row-mapping.ts';
import type { Outcome, Reading } from './csv-oracle.ts';

const person: EntityType = {
  name: 'person',
  connector: 'hr',
  source: { name: 'people.csv', options: { file: 'people.csv' } },
  key: 'id',
  properties: [
    {
      kind: 'scalar',
      name: 'id',
      origin: { from: 'column', column: 'id' },
      format: { type: 'string' },
    },
    {
      kind: 'scalar',
      name: 'name',
      origin: { from: 'column', column: 'name' },
      format: { type: 'string' },
    },
    {
      kind: 'scalar',
      name: 'pay',
      origin: { from: 'column', column: 'pay' },
      format: { type: 'number', decimalSeparator: '.', groupSeparator: '' },
    },
  ],
  searchable: [],
  drift: defaultDrift,
  thresholds: {},
};

/** How we read a file, in the terms of the oracle, and which delimiter we found. */
export interface Seen {
  readonly reading: Reading;
  readonly delimiter: string;
}

/**
 * Exports a file and maps its records as the activities do, without the store.
 *
 * @param place a directory that does not exist yet; it is gone afterwards
 */
export async function readAsWeDo(bytes: Buffer, place: string): Promise<Seen> {
  await mkdir(place);
  try {
    return await read(bytes, place);
  } finally {
    await rm(place, { recursive: true });
  }
}

async function read(bytes: Buffer, place: string): Promise<Seen> {
  await writeFile(join(place, 'people.csv'), bytes);
  const target = join(place, 'extraction');
  await mkdir(target);
  const connector = createCsvConnector({
    directory: place,
    delimiter: 'auto',
    encoding: 'auto',
    settle: 0,
  });
  const [file] = await connector.export({
    mode: 'complete',
    sources: [person.source],
    kept: [],
    directory: target,
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  if (!file) throw new Error('nothing was exported');
  const text = await readFile(join(target, file.file));
  const { delimiter } = file;
  const records: { line: number; bytes: Buffer }[] = [];
  const scanner = new RecordScanner(delimiter, ({ bytes: all }, start, end, line) => {
    records.push({ line, bytes: Buffer.from(all.slice(start, end)) });
  });
  scanner.push(text);
  scanner.end();
  if (records.length !== file.rows + 1) throw new Error('rows were miscounted');
  const header = headerOf(records.shift()?.bytes ?? Buffer.alloc(0), delimiter);
  const columns = ['id', 'name', 'pay'];
  if (!header || header.missing(columns).length > 0 || header.repeated(columns).length > 0) {
    return { reading: { refused: 'header' }, delimiter };
  }
  const map = compileEntityMapping(person, header, new Map(), new Map());
  const rows = new Map<number, Outcome>();
  let end = 0;
  const ends = Uint32Array.from(records, ({ bytes: record }) => {
    end += record.length + 1;
    return end - 1;
  });
  const laid = Buffer.concat(records.flatMap(({ bytes: record }) => [record, Buffer.from('\n')]));
  for (const [index, cells] of [...parseEach(laid, ends, delimiter)].entries()) {
    const { line } = records[index] as { line: number };
    const outcome = cells === null ? { problem: { code: 'RowMalformed' } } : await map(cells);
    rows.set(
      line,
      'mapped' in outcome
        ? { key: outcome.mapped.key, attributes: outcome.mapped.attributes }
        : { code: outcome.problem.code, cells: [] },
    );
  }
  return { reading: { rows }, delimiter };
}

function headerOf(record: Buffer, delimiter: string): Header | undefined {
  try {
    return new Header(parseRecords(record, delimiter)[0] ?? []);
  } catch {
    return undefined;
  }
}
