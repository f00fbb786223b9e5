/** A source that is what the last extraction was made from gets that file; anything else is read through. */
import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ExtractedFile } from '../../connectors/connector.ts';
import { createCsvConnector } from '../../connectors/csv/csv-connector.ts';
import type { CsvSettings } from '../../connectors/csv/source-export.ts';
import { RecordIndexWriter } from '../../connectors/record-index.ts';
import { exportInto } from './conformance.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-csv-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const people = 'id;name\n1;Zoé\n2;Łęcka\n';

interface Second {
  readonly first: ExtractedFile;
  readonly second: ExtractedFile;
  readonly sameFile: boolean;
}

/** Exports, lets something happen, and exports again with what the first export left. */
async function twice(
  text: string | Buffer,
  between: (source: string, extracted: string) => Promise<void> = async () => {},
  settings: Partial<CsvSettings> = {},
): Promise<Second> {
  const source = join(directory, 'people.csv');
  await writeFile(source, text);
  const reading: CsvSettings = { directory, delimiter: 'auto', encoding: 'auto' };
  let outcome: Second | undefined;
  await exportInto(createCsvConnector(reading), ['people.csv'], async (before, [first]) => {
    const completedAt = new Date().toISOString();
    const kept = { file: first as ExtractedFile, path: join(before, 'people.csv'), completedAt };
    await between(source, kept.path);
    const again = createCsvConnector({ ...reading, ...settings });
    const use = async (after: string, [second]: ExtractedFile[]) => {
      const inodes = await Promise.all(
        [kept.path, join(after, 'people.csv')].map(async (path) => (await stat(path)).ino),
      );
      outcome = {
        first: first as ExtractedFile,
        second: second as ExtractedFile,
        sameFile: inodes[0] === inodes[1],
      };
    };
    await exportInto(again, ['people.csv'], use, { kept: [kept] });
  });
  return outcome as Second;
}

describe('the file of the last extraction serves again', () => {
  test.each<[string, string | Buffer]>([
    ['for UTF-8', people],
    ['for UTF-8 after a byte order mark', `\uFEFF${people}`],
    ['for UTF-16', Buffer.from(`\uFEFF${people}`, 'utf16le')],
  ])('%s', async (_, text) => {
    const { first, second, sameFile } = await twice(text);
    expect(second).toEqual(first);
    expect(sameFile).toBe(true);
  });

  test('with the index of its records, where it has one', async () => {
    RecordIndexWriter.worthwhile = 2_000;
    const long = `id;name\n${Array.from({ length: 2_000 }, (_, nth) => `${nth};Zoé\n`).join('')}`;
    const { first, second } = await twice(long);
    expect(first.index).toMatchObject({ file: 'people.csv.index' });
    expect(second).toEqual(first);
    const without = await twice(long, (_, extracted) => rm(`${extracted}.index`));
    expect(without.sameFile).toBe(true);
    expect(without.second).not.toHaveProperty('index');
  });

  test('also when the source was written anew with the same bytes', async () => {
    const { sameFile } = await twice(people, (source) => writeFile(source, people));
    expect(sameFile).toBe(true);
  });
});

describe('the source is read through', () => {
  test('when a byte of it is another', async () => {
    const other = people.replace('2', '3');
    const { second, sameFile } = await twice(people, (source) => writeFile(source, other));
    expect(sameFile).toBe(false);
    expect(second.rows).toBe(2);
  });

  test('when a row was added', async () => {
    const { second } = await twice(people, (source) => appendFile(source, '3;Ann\n'));
    expect(second.rows).toBe(3);
  });

  test('when somebody touched the file of the last extraction, which then serves nobody', async () => {
    const { first, second, sameFile } = await twice(people, (_, extracted) =>
      writeFile(extracted, people.replace('Zoé', 'Eve')),
    );
    expect(sameFile).toBe(false);
    expect(second.sha256).toBe(first.sha256);
  });

  test('when that file is gone', async () => {
    const source = join(directory, 'people.csv');
    await writeFile(source, people);
    const connector = createCsvConnector({ directory, delimiter: 'auto', encoding: 'auto' });
    let kept: ExtractedFile | undefined;
    await exportInto(connector, ['people.csv'], async (_, [file]) => {
      kept = file;
    });
    const gone = {
      file: kept as ExtractedFile,
      path: join(directory, 'gone.csv'),
      completedAt: new Date().toISOString(),
    };
    await exportInto(
      connector,
      ['people.csv'],
      async (_, [file]) => expect(file).toEqual(gone.file),
      { kept: [gone] },
    );
  });

  test.each<[string, Partial<CsvSettings>]>([
    ['with another delimiter', { delimiter: ',' }],
    ['in another encoding', { encoding: 'iso-8859-1' }],
  ])('when it is to be read %s', async (_, settings) => {
    const { sameFile } = await twice(people, undefined, settings);
    expect(sameFile).toBe(false);
  });
});
