/** Drop folders of workbooks: the newest is read, and known by its own name. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createXlsxConnector } from '../../connectors/xlsx/xlsx-connector.ts';
import { textWorkbook } from '../support/workbook.ts';
import { exportError, exportInto } from './conformance.ts';

test('the newest workbook of a pattern is read, and messages name it with its sheet', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-xlsx-'));
  try {
    const hold = (file: string, id: string) =>
      writeFile(join(directory, file), textWorkbook([['id'], [id]]));
    await hold('staff-20261121.xlsx', 'old');
    await hold('staff-20261122.xlsx', 'new');
    await writeFile(join(directory, '~$staff-20261123.xlsx'), 'somebody has it open');
    const connector = createXlsxConnector({ directory });
    const source = {
      name: 'staff-*.xlsx',
      options: { file: 'staff-*.xlsx', pick: 'newest' },
    } as const;
    await exportInto(connector, [source], async (target, [file]) => {
      expect(file).toMatchObject({
        source: 'staff-*.xlsx',
        parts: [{ file: 'staff-20261122.xlsx', firstLine: 1, line: 1 }],
      });
      expect(await readFile(join(target, file?.file ?? ''), 'utf8')).toContain('new');
    });
    await writeFile(join(directory, 'staff-20261124.xlsx'), 'id\n1\n');
    const error = await exportError(connector, [source]);
    expect(error.message).toContain('staff-20261124.xlsx is no XLSX workbook');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
