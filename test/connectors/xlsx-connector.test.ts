/** The XLSX connector on workbooks as people and programs write them: what a naive reader would make of each is named. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createXlsxConnector } from '../../connectors/xlsx/xlsx-connector.ts';
import { textWorkbook } from '../support/workbook.ts';
import { type TestedSystem, testConformance } from './conformance.ts';

testConformance('xlsx', async (): Promise<TestedSystem> => {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-xlsx-'));
  return {
    connector: createXlsxConnector({ directory }),
    hold: (source, rows) => writeFile(join(directory, source), textWorkbook(rows)),
    remove: (source) => rm(join(directory, source)),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
});
