/** The extraction: whole or not there, and proved untouched before it is used. */
import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCsvConnector } from '../../connectors/csv/csv-connector.ts';
import {
  createExtraction,
  extractedPath,
  lookOverExtraction,
  type Manifest,
  readManifest,
  verifyExtraction,
} from '../../connectors/extraction.ts';

let root: string;
let source: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lockstep-extractions-'));
  source = await mkdtemp(join(tmpdir(), 'lockstep-csv-'));
  await writeFile(join(source, 'people.csv'), 'id\n1\n2\n');
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
  await rm(source, { recursive: true, force: true });
});

const never = new AbortController().signal;

async function extract(job = 'sync-sab/1'): Promise<Manifest> {
  const extraction = await createExtraction(root, 'sab', job);
  const connector = createCsvConnector({ directory: source, delimiter: 'auto', encoding: 'auto' });
  const files = await connector.export({
    mode: 'complete',
    kept: [],
    sources: [{ name: 'people.csv', options: { file: 'people.csv' } }],
    directory: extraction.directory,
    onProgress: () => {},
    signal: never,
  });
  return (await extraction.complete(files)).manifest;
}

test('the manifest says where it came from and what it holds', async () => {
  const manifest = await extract();
  expect(manifest).toMatchObject({
    connector: 'sab',
    job: 'sync-sab/1',
    files: [{ rows: 2, bytes: 7 }],
  });
  expect(manifest.id).toMatch(/^sab\/sync-sab_1~[0-9a-f]{8}$/);
  expect(await readManifest(root, manifest.id)).toEqual(manifest);
  await verifyExtraction(root, manifest, never);
  const [file] = manifest.files;
  expect(file && (await readFile(extractedPath(root, manifest.id, file), 'utf8'))).toBe(
    'id\n1\n2\n',
  );
});

describe('an extraction that was touched is ExtractionModified', () => {
  test.each<[string, (path: string) => Promise<void>]>([
    [
      'one byte flipped',
      async (path) => {
        const bytes = await readFile(path);
        bytes[3] = (bytes[3] as number) ^ 1;
        await writeFile(path, bytes);
      },
    ],
    ['shortened', (path) => truncate(path, 5)],
    ['lengthened', (path) => writeFile(path, '3\n', { flag: 'a' })],
    ['emptied', (path) => truncate(path, 0)],
    ['deleted', (path) => rm(path)],
  ])('%s', async (_, touch) => {
    const manifest = await extract();
    const [file] = manifest.files;
    if (file) await touch(extractedPath(root, manifest.id, file));
    await expect(verifyExtraction(root, manifest, never)).rejects.toMatchObject({
      code: 'ExtractionModified',
      message: `people.csv of extraction ${manifest.id} is not what the export wrote`,
    });
  });

  test('as a whole, or without its manifest', async () => {
    const { id } = await extract();
    await writeFile(join(root, id, 'manifest.json'), '{');
    await expect(readManifest(root, id)).rejects.toMatchObject({ code: 'ExtractionModified' });
    await rm(join(root, id), { recursive: true });
    await expect(readManifest(root, id)).rejects.toMatchObject({ code: 'ExtractionModified' });
  });
});

test('a look reads nothing of what was not touched since, and all of what was', async () => {
  const manifest = await extract();
  const [file] = manifest.files;
  if (!file) throw new Error('there is no file');
  // Only who reads the file can tell.
  const wrong = { ...manifest, files: [{ ...file, sha256: 'another' }] };
  await lookOverExtraction(root, wrong, never);
  const later = new Date(Date.parse(manifest.createdAt) + 1000);
  await utimes(extractedPath(root, manifest.id, file), later, later);
  await lookOverExtraction(root, manifest, never);
  await expect(lookOverExtraction(root, wrong, never)).rejects.toMatchObject({
    code: 'ExtractionModified',
  });
});

test('a second attempt of a job replaces the first; other jobs keep theirs', async () => {
  const other = await extract('sync-sab/10');
  const first = await extract();
  const second = await extract();
  expect(second.id).not.toBe(first.id);
  expect((await readdir(join(root, 'sab'))).sort()).toEqual(
    [other, second].map(({ id }) => id.replace('sab/', '')).sort(),
  );
});

test('one that is discarded leaves nothing', async () => {
  const extraction = await createExtraction(root, 'sab', 'job');
  await writeFile(join(extraction.directory, 'people.csv'), 'id\n');
  await extraction.discard();
  expect(await readdir(join(root, 'sab'))).toEqual([]);
});
