/** What a file and the file before hold alike is passed over: with the same result as a look at every record. */
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { KeptFile, WrittenFile } from '../../connectors/connector.ts';
import { CountingCopy } from '../../connectors/csv/counting-copy.ts';
import { fileChunks } from '../../connectors/file-chunks.ts';
import { IndexedRecords } from '../../connectors/indexed-records.ts';
import { RecordIndexWriter, readRecordIndex } from '../../connectors/record-index.ts';
import { noSeed, recordDigest } from '../../engine/record-digest.ts';
import { type OnRecord, RecordScanner } from '../../engine/record-scanner.ts';

RecordIndexWriter.worthwhile = 1;

interface Copied {
  readonly path: string;
  readonly file: WrittenFile;
}

let directory: string;
let copies = 0;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-passed-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Copies a text, given in pieces of so many bytes, with what is kept of another one. */
async function copied(text: string, piece: number, former?: KeptFile): Promise<Copied> {
  copies += 1;
  const path = join(directory, `${copies}.csv`);
  await using copy = await CountingCopy.create(path, { name: 'a.csv', delimiter: ',', former });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += piece) await copy.write(bytes.subarray(at, at + piece));
  return { path, file: await copy.end() };
}

/** Nothing is passed over of a file that was written to after it was complete. */
const never = new Date(0).toISOString();
const now = () => new Date(Date.now() + 1000).toISOString();

const keptSince = (completedAt: string, { path, file }: Copied): KeptFile => ({
  path,
  file: { ...file, source: 'a.csv', file: 'a.csv' },
  completedAt,
});

const digest = new Uint32Array(4);
const told = (...[{ words }, start, end, line]: Parameters<OnRecord>) => {
  recordDigest(words, start, end, noSeed, digest);
  return `${line}: ${digest.join()}`;
};

/** What the index says, and what is found by its landmarks. */
async function indexed({ path, file }: Copied) {
  const digests: string[] = [];
  const size = { records: file.rows, bytes: file.index?.bytes ?? 0 };
  const landmarks = await readRecordIndex(fileChunks(`${path}.index`), size, (part) => {
    for (let at = 0; at < part.length; at += 4) digests.push(part.subarray(at, at + 4).join());
  });
  const found: string[] = [];
  const every = Uint32Array.from(digests.keys());
  using records = new IndexedRecords({ path, file, landmarks }, every, (_, ...record) => {
    found.push(told(...record));
  });
  while (records.read());
  return { digests, found, landmarks };
}

function scanned(text: string): string[] {
  const found: string[] = [];
  const scanner = new RecordScanner(',', (...record) => found.push(told(...record)));
  scanner.push(Buffer.from(text));
  scanner.end();
  return found.slice(1);
}

/** All that is said of a file but for where it is. */
async function said({ path, file: { index: _, difference, ...file } }: Copied) {
  const bytes = difference && (await readFile(join(path, '..', difference.file)));
  return { ...file, difference: difference && { ...difference, file: '' }, bytes };
}

const row = fc.oneof(
  { weight: 8, arbitrary: fc.nat(9_999).map((id) => `${id},plain`) },
  { weight: 1, arbitrary: fc.nat(9_999).map((id) => `${id},"two\nlines, ""quoted"""`) },
  { weight: 1, arbitrary: fc.nat(9_999).map((id) => `${id},returns\r`) },
  { weight: 1, arbitrary: fc.constantFrom('', ' , ', 'a"quote in the middle', '\r') },
);

const edit = fc.record({
  at: fc.nat(400),
  gone: fc.integer({ min: 0, max: 40 }),
  come: fc.array(row, { maxLength: 5 }),
});

test('a later file is told of as without the file before', async () => {
  const spaces: number[] = [];
  let most = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 60, maxLength: 400 }),
      fc.array(fc.array(edit, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 50, max: 5_000 }),
      fc.boolean(),
      async (rows, days, piece, isEnded) => {
        const textOf = () => `id,text\n1,one\n${rows.join('\n')}${isEnded ? '\n' : ''}`;
        let before = await copied(textOf(), piece);
        for (const edits of days) {
          for (const { at, gone, come } of edits) rows.splice(at, gone, ...come);
          const after = await copied(textOf(), piece, keptSince(now(), before));
          const looked = await copied(textOf(), piece, keptSince(never, before));
          expect(await said(after)).toEqual(await said(looked));
          const { digests, found, landmarks } = await indexed(after);
          expect(digests).toEqual((await indexed(looked)).digests);
          expect(found).toEqual(scanned(textOf()));
          for (let at = 1; at < landmarks.length; at++) {
            spaces.push(landmarks.record(at) - landmarks.record(at - 1));
          }
          most = Math.max(most, landmarks.length / (after.file.rows / 16 + 1));
          before = after;
        }
      },
    ),
    { numRuns: 60 },
  );
  expect(Math.max(...spaces)).toBe(16);
  expect(Math.min(...spaces)).toBeLessThan(16);
  expect(most).toBeLessThanOrEqual(2);
});

const rows = Array.from({ length: 1_000 }, (_, id) => `${id},text`);
const text = (changed: string) => `id,text\n${rows.with(500, changed).join('\n')}\n`;

/** Somebody writes into the file before what is in the next one then. */
async function tampered(): Promise<KeptFile> {
  const written = await copied(text('500,text'), 1 << 18);
  const before = keptSince(now(), written);
  await writeFile(written.path, text('500,tixt'));
  return before;
}

const changeSince = async (before: KeptFile) =>
  (await copied(text('500,tixt'), 1 << 18, before)).file.difference;

test('a file before that was written to is not believed', async () => {
  const before = await tampered();
  const later = new Date(Date.parse(before.completedAt) + 1000);
  await utimes(before.path, later, later);
  expect(await changeSince(before)).toMatchObject({ come: 1, gone: 1 });
});

test('what is as it was is not looked at', async () => {
  expect(await changeSince(await tampered())).toMatchObject({ come: 0, gone: 0 });
});

test.each([
  ['another delimiter', { delimiter: ';' }],
  ['a line for each record', { countsRecords: true as const }],
])('of a file with %s nothing is passed over', async (_, other) => {
  const before = await tampered();
  const change = await changeSince({ ...before, file: { ...before.file, ...other } });
  expect(change).toMatchObject({ come: 1, gone: 1 });
});

test('an index that is not what was written is of no use', async () => {
  const before = await tampered();
  const bytes = await readFile(`${before.path}.index`);
  bytes[40] = (bytes[40] as number) ^ 1;
  await writeFile(`${before.path}.index`, bytes);
  expect(await changeSince(before)).toBeUndefined();
});
