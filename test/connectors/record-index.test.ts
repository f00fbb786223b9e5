/** The index of a large file against a scan of the whole: the same digests, and every record found on its line. */
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ExtractedFile, WrittenFile } from '../../connectors/connector.ts';
import { CountingCopy } from '../../connectors/csv/counting-copy.ts';
import { fileChunks } from '../../connectors/file-chunks.ts';
import {
  type IndexedFile,
  IndexedRecords,
  type OnWanted,
} from '../../connectors/indexed-records.ts';
import type { Landmarks } from '../../connectors/landmarks.ts';
import { RecordFile } from '../../connectors/record-file.ts';
import { RecordIndexWriter, readRecordIndex } from '../../connectors/record-index.ts';
import { RowsFile } from '../../connectors/sql/rows-file.ts';
import { noSeed, recordDigest } from '../../engine/record-digest.ts';
import { RecordScanner } from '../../engine/record-scanner.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-index-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const { signal } = new AbortController();
const many = 3_100;
RecordIndexWriter.worthwhile = 2_000;

/** Records over several lines, blank ones between them, some that are longer than all that lies between two landmarks. */
const cells = Array.from({ length: many }, (_, nth) => {
  if (nth % 997 === 5) return [String(nth), 'x'.repeat(70_000 + nth)];
  return [String(nth), nth % 7 === 0 ? `two\nlines “${nth}”` : `plain ${nth % 3}`];
});

const asText = (rows: readonly string[][], lineEnd: string) =>
  rows
    .map(([id, text = ''], nth) => {
      const record = `${id},${/\n/.test(text) ? `"${text}"` : text}`;
      return `${record}${nth % 100 === 3 ? `${lineEnd}${lineEnd} , ` : ''}`;
    })
    .join(lineEnd);

interface Found {
  readonly line: number;
  readonly digest: string;
}

/** What a scan of the whole file finds after its header. */
function scanned(bytes: Buffer, { countsRecords }: Partial<ExtractedFile>): Found[] {
  const all: Found[] = [];
  const digest = new Uint32Array(4);
  const onRecord = ({ words }: { words: DataView }, start: number, end: number, line: number) => {
    recordDigest(words, start, end, noSeed, digest);
    all.push({ line, digest: digest.join() });
  };
  const scanner = new RecordScanner(',', onRecord, countsRecords);
  scanner.push(bytes);
  scanner.end();
  return all.slice(1);
}

/** Writes a file in one of the ways there are, and holds its index against a scan. */
const ways: Record<string, (path: string) => Promise<WrittenFile & { countsRecords?: true }>> = {
  'a copy of CSV': (path) => copied(path, `id,text\n${asText(cells, '\n')}`),
  'a copy with CRLF, blank lines before its header, and none at its end': (path) =>
    copied(path, `\r\n\r\nid,text\r\n${asText(cells, '\r\n')}`),
  'rows of a database': async (path) => {
    await using file = await RowsFile.create(path);
    await file.write(Buffer.from('id,text\n'));
    await file.write(Buffer.from(`${asText(cells, '\n')}\n`));
    return await file.end();
  },
  'records of a sheet': async (path) => {
    await using file = await RecordFile.create(path, 'a sheet', { countsRecords: true });
    file.add(['id', 'text']);
    for (const [nth, record] of cells.entries()) {
      if (nth % 500 === 1) file.skip(2);
      file.add(record);
      await file.flushIfFull();
    }
    return { ...(await file.end()), countsRecords: true };
  },
};

async function copied(path: string, text: string): Promise<WrittenFile> {
  await using copy = await CountingCopy.create(path, { name: 'a.csv', delimiter: 'auto' });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 100_003) {
    await copy.write(bytes.subarray(at, at + 100_003));
  }
  return await copy.end();
}

async function read(file: WrittenFile): Promise<[string[], Landmarks]> {
  const digests: string[] = [];
  const chunks = fileChunks(join(directory, file.index?.file ?? ''), { signal });
  const size = { records: file.rows, bytes: file.index?.bytes ?? 0 };
  const landmarks = await readRecordIndex(chunks, size, (part) => {
    for (let at = 0; at < part.length; at += 4) digests.push(part.subarray(at, at + 4).join());
  });
  return [digests, landmarks];
}

function readWanted(file: IndexedFile, numbers: readonly number[], onWanted: OnWanted): void {
  using records = new IndexedRecords(file, Uint32Array.from(numbers), onWanted);
  while (records.read());
}

describe('every record is where the index has it', () => {
  test.each(Object.entries(ways))('%s', async (_, write) => {
    const path = join(directory, 'a.csv');
    const file = await write(path);
    const all = scanned(await readFile(path), file);
    expect(file.rows).toBe(all.length);
    const [digests, landmarks] = await read(file);
    expect(digests).toEqual(all.map(({ digest }) => digest));
    expect(landmarks.length).toBeGreaterThan(file.rows / 16);
    for (const every of [1, 17, 401]) {
      const wanted = all
        .map((_, number) => number)
        .filter((number) => number % every === 0 || number > many - 3);
      const found = new Map<number, Found>();
      const digest = new Uint32Array(4);
      readWanted({ path, file, landmarks }, wanted, (nth, { words }, start, end, line) => {
        recordDigest(words, start, end, noSeed, digest);
        found.set(wanted[nth] as number, { line, digest: digest.join() });
      });
      expect([...found.keys()]).toEqual(wanted);
      for (const [number, record] of found) expect(record).toEqual(all[number]);
    }
  });
});

test('a file that was cut since gives fewer records, and no wrong ones', async () => {
  const path = join(directory, 'a.csv');
  const file = await ways['a copy of CSV']?.(path);
  if (!file) throw new Error('there is no such way');
  const [, landmarks] = await read(file);
  const whole = await readFile(path);
  await writeFile(path, whole.subarray(0, whole.length / 2));
  const found: number[] = [];
  readWanted({ path, file, landmarks }, [0, many - 1], (nth) => found.push(nth));
  expect(found).toEqual([0]);
});

test('few records have no index', async () => {
  const path = join(directory, 'a.csv');
  const file = await copied(path, `id,text\n${asText(cells.slice(0, 1_000), '\n')}`);
  expect(file.index).toBeUndefined();
  await expect(open(`${path}.index`)).rejects.toMatchObject({ code: 'ENOENT' });
});
