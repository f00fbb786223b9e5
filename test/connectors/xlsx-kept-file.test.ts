/** An unchanged workbook is not read again, and one that is written to while it is read is refused. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ExtractedFile, KeptFile } from '../../connectors/connector.ts';
import { createXlsxConnector } from '../../connectors/xlsx/xlsx-connector.ts';
import type { SheetSource, Source } from '../../engine/source.ts';
import { textRows, workbook } from '../support/workbook.ts';
import { exportInto } from './conformance.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-xlsx-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const holding = (name: string) =>
  workbook({
    sheets: {
      Staff: textRows([
        ['id', 'name'],
        ['1', name],
        ['2', 'Bo'],
      ]),
      Teams: textRows([['id'], ['t1']]),
    },
  });

const source = (options: Partial<SheetSource> = {}): Source => ({
  name: 'people.xlsx',
  options: { file: 'people.xlsx', ...options },
});

/** Exports, lets something happen, exports again; says whether the second is the first one's file. */
async function twice(between: () => Promise<void>, second: Source = source()) {
  await writeFile(join(directory, 'people.xlsx'), holding('Zoé'));
  const connector = createXlsxConnector({ directory });
  let outcome: { first: ExtractedFile; again: ExtractedFile; same: boolean } | undefined;
  await exportInto(connector, [source()], async (before, [first]) => {
    const kept: KeptFile = {
      file: first as ExtractedFile,
      path: join(before, 'people.xlsx'),
      completedAt: new Date().toISOString(),
    };
    await between();
    const use = async (after: string, [again]: ExtractedFile[]) => {
      const [one, other] = await Promise.all(
        [kept.path, join(after, 'people.xlsx')].map(async (path) => (await stat(path)).ino),
      );
      outcome = { first: kept.file, again: again as ExtractedFile, same: one === other };
    };
    await exportInto(connector, [second], use, { kept: [kept] });
  });
  return outcome as NonNullable<typeof outcome>;
}

test('an unchanged workbook, also one that was written anew with the same bytes, is not read again', async () => {
  const { first, again, same } = await twice(() =>
    writeFile(join(directory, 'people.xlsx'), holding('Zoé')),
  );
  expect([again, same]).toEqual([first, true]);
});

test('a workbook of which a byte is another is read', async () => {
  const { again, same, first } = await twice(() =>
    writeFile(join(directory, 'people.xlsx'), holding('Eve')),
  );
  expect(same).toBe(false);
  expect(again.sha256).not.toBe(first.sha256);
});

test.each<[string, Partial<SheetSource>]>([
  ['another sheet', { sheet: 'Teams' }],
  ['another header row', { headerRow: 2 }],
])('%s of the same bytes is read', async (_, options) => {
  const { same } = await twice(async () => {}, source(options));
  expect(same).toBe(false);
});

test('a workbook that is written to while it is read is refused, and worth a retry', async () => {
  const path = join(directory, 'people.xlsx');
  await writeFile(path, holding('Zoé'));
  let rewritten = Promise.resolve();
  const exported = exportInto(createXlsxConnector({ directory }), [source()], async () => {}, {
    onProgress: () => {
      rewritten = writeFile(path, holding('Somebody else'));
    },
  });
  await expect(exported).rejects.toMatchObject({
    code: 'SourceUnavailable',
    message: 'people.xlsx was written to while it was read',
  });
  await rewritten;
});
