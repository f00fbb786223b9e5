/** An extraction that anybody touched is refused by every step that uses it, and nothing is written. */
import { createHash } from 'node:crypto';
import { readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nextDay, peopleConfiguration, peopleFiles } from '../fixtures/people.ts';
import { openSyncBench, type PreparedJob, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

/** A byte flipped in the last row: the file is as long as it was, and well-formed. */
async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  const last = bytes.length - 2;
  bytes[last] = (bytes[last] as number) ^ 1;
  await writeFile(path, bytes);
}

/** The manifest made to fit the file as it is now. */
async function makeFit(manifest: string, path: string): Promise<void> {
  const bytes = await readFile(path);
  const written = JSON.parse(await readFile(manifest, 'utf8')) as { files: { source: string }[] };
  const files = written.files.map((file) =>
    file.source === 'people.csv'
      ? { ...file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
      : file,
  );
  await writeFile(manifest, `${JSON.stringify({ ...written, files }, null, 2)}\n`);
}

type Touch = (path: string, manifest: string) => Promise<void>;

const touches: Readonly<Record<string, Touch>> = {
  'one byte flipped': flip,
  shortened: (path) => truncate(path, 40),
  'missing a file': (path) => rm(path),
  'with another manifest': (_, manifest) =>
    readFile(manifest, 'utf8').then((text) =>
      writeFile(manifest, text.replace('"rows": 3', '"rows": 2')),
    ),
  'with a manifest that was made to fit': async (path, manifest) => {
    await flip(path);
    await makeFit(manifest, path);
  },
};

/** As above, by somebody who sets the clock of the file back. */
const flipInSecret: Touch = async (path) => {
  const { atime, mtime } = await stat(path);
  await flip(path);
  await utimes(path, atime, mtime);
};

/** Touches an extraction in each way, sees that a step refuses it each time, and puts it back. */
async function refuses(
  { extraction }: PreparedJob,
  step: () => Promise<unknown>,
  how: Readonly<Record<string, Touch>>,
): Promise<void> {
  const path = join(bench.extractions, extraction, 'people.csv');
  const manifest = join(bench.extractions, extraction, 'manifest.json');
  const [rows, text, { atime, mtime }] = [
    await readFile(path),
    await readFile(manifest),
    await stat(path),
  ];
  const before = await bench.contents();
  for (const [name, touch] of Object.entries(how)) {
    await touch(path, manifest);
    await expect(step(), name).rejects.toMatchObject({
      type: 'ExtractionModified',
      nonRetryable: true,
    });
    await writeFile(path, rows);
    await utimes(path, atime, mtime);
    await writeFile(manifest, text);
  }
  expect(await bench.contents()).toEqual(before);
  const { rows: applied } = await bench.store.pool.query(
    'select from delta where applied_at is not null',
  );
  expect(applied).toHaveLength(1);
}

describe('an extraction that was touched is refused', { timeout: 60_000 }, () => {
  test('between export and prepare, also where a source says what it said at the last load', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.prepare(peopleFiles());
    expect(job.empty).toBe(true);
    await refuses(job, () => job.again(), touches);
    await job.end();
  });

  test('between prepare and load, though nobody reviewed it', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.prepare(nextDay);
    await job.resume();
    const load = () => bench.run('loadDelta', { ...place(job), reviewed: false }, job.id);
    await refuses(job, load, touches);
    expect(await load()).toBe('applied');
    await job.end();
  });

  test('while a person reviews it, also in secret', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.prepare(nextDay);
    await job.resume();
    await refuses(job, () => job.load(), { ...touches, 'a byte flipped in secret': flipInSecret });
    expect(await job.load()).toBe('applied');
    await job.end();
  });

  test('when a task alone comes back to it, also in secret', async () => {
    const first = await bench.sync(peopleFiles());
    const job = await bench.prepareKept('synchronize', first.extraction);
    const secret = { ...touches, 'a byte flipped in secret': flipInSecret };
    await refuses(job, () => job.again(), secret);
    const load = () =>
      bench.run('loadDelta', { ...place(job), reviewed: false, kept: true }, job.id);
    await refuses(job, load, secret);
    await job.end();
  });

  const place = ({ fence, extraction, digest }: PreparedJob) => ({
    connector: 'sab',
    fence,
    extraction,
    digest,
  });
});
