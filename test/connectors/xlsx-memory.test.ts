/** A workbook of 100,000 rows and 15 columns is read in a process whose memory would not hold it. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { main, workbookParts, zip } from '../support/workbook.ts';

const rows = 100_000;

/** Twelve numbers, dates and booleans a row, and three texts that no other row has. */
function largeWorkbook(): Buffer {
  const header = Array.from({ length: 15 }, (_, at) => `<c t="str"><v>c${at}</v></c>`).join('');
  const sheet = [`<worksheet xmlns="${main}"><sheetData><row>${header}</row>`];
  const strings = [`<sst xmlns="${main}">`];
  for (let row = 0; row < rows; row++) {
    const number = `<c><v>${row * 1.5}</v></c>`;
    const text = (at: number) => `<c t="s"><v>${row * 3 + at}</v></c>`;
    const others = `<c s="1"><v>${30_000 + row / 7}</v></c><c t="b"><v>1</v></c>${number}`;
    sheet.push(`<row>${text(0)}${text(1)}${text(2)}${others.repeat(4)}</row>`);
    for (let at = 0; at < 3; at++) strings.push(`<si><t>person ${row} text ${at}</t></si>`);
  }
  sheet.push('</sheetData></worksheet>');
  strings.push('</sst>');
  return zip({
    ...workbookParts({ sheets: { Staff: '' }, formats: [14] }),
    'xl/worksheets/sheet1.xml': sheet.join(''),
    'xl/sharedStrings.xml': strings.join(''),
  });
}

test('100,000 rows of 15 columns, in a heap of 48 MiB', { timeout: 300_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-xlsx-'));
  const target = join(directory, 'extraction');
  await mkdir(target);
  await writeFile(join(directory, 'large.xlsx'), largeWorkbook());
  const script = join(import.meta.dirname, 'export-process.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--max-old-space-size=48',
    script,
    directory,
    'large.xlsx',
    target,
  ]);
  await rm(directory, { recursive: true });
  const { rows: read, bytes, mebibytes } = JSON.parse(stdout);
  expect(read).toBe(rows);
  expect(bytes).toBeGreaterThan(10_000_000);
  // Node itself is about 60 MiB of it, the shared texts 12.
  expect(mebibytes).toBeLessThan(320);
});
