/** Large sources of the CSV connector are read in threads: what comes of it, and what is left of it, is the same. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ExportRequest, Progress } from '../../connectors/connector.ts';
import { createCsvConnector, threads } from '../../connectors/csv/csv-connector.ts';
import type { FileSource } from '../../engine/source.ts';
import { testConformance } from './conformance.ts';
import { openCsvSystem } from './csv-export.ts';

const inline = { worthwhile: Number.POSITIVE_INFINITY, most: 2 };
const threaded = { worthwhile: 0, most: 2 };

let directory: string;
let target: string;
beforeEach(async () => {
  Object.assign(threads, threaded);
  directory = await mkdtemp(join(tmpdir(), 'lockstep-csv-'));
  target = await mkdtemp(join(tmpdir(), 'lockstep-extraction-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
  await rm(target, { recursive: true, force: true });
});

testConformance('csv in threads', openCsvSystem);

/** Exports these sources, by default each from the file of its name. */
async function exported(
  into: string,
  sources: Readonly<Record<string, FileSource>>,
  more: Partial<ExportRequest> = {},
) {
  const place = await mkdtemp(join(target, `${into}-`));
  const usual = { directory, delimiter: 'auto', encoding: 'auto', settle: 0 } as const;
  const files = await createCsvConnector(usual).export({
    mode: 'complete',
    sources: Object.entries(sources).map(([name, options]) => ({ name, options })),
    kept: [],
    directory: place,
    onProgress: () => {},
    signal: new AbortController().signal,
    ...more,
  });
  const contents = await Promise.all(files.map(({ file }) => readFile(join(place, file), 'utf8')));
  return { files, contents, place };
}

const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, nth) => `${nth},"name\n${nth}"`).join('\n');

const large = { 'large.csv': { file: 'large.csv' } } as const;
const all = {
  ...large,
  'other.csv': { file: 'other.csv' },
  'third.csv': { file: 'third.csv' },
} as const;

async function writeSources(): Promise<void> {
  await writeFile(
    join(directory, 'large.csv'),
    `id;name\n${rowsOf(90_000).replaceAll(',', ';')}\n`,
  );
  await writeFile(
    join(directory, 'other.csv'),
    Buffer.from('\ufeffid,name\r\n1,Zoë\r\n', 'utf16le'),
  );
  await writeFile(join(directory, 'third.csv'), `id,name\n${rowsOf(3)}`);
}

test('the same files, with the same said of them, in the order in which they were asked for', async () => {
  await writeSources();
  const progress: Progress[] = [];
  const there = await exported('threads', all, { onProgress: (each) => progress.push(each) });
  expect(progress.at(-1)).toMatchObject({ done: progress.at(-1)?.total });
  Object.assign(threads, inline);
  const here = await exported('inline', all);
  expect(there.files).toEqual(here.files);
  expect(there.contents).toEqual(here.contents);
  expect(there.files.map(({ source }) => source)).toEqual(Object.keys(all));
  expect(there.files[0]?.index).toBeDefined();

  Object.assign(threads, threaded);
  const completedAt = new Date().toISOString();
  const kept = here.files.map((file) => {
    return { file, path: join(here.place, file.file), completedAt };
  });
  const again = await exported('again', all, { kept });
  expect(again.files).toEqual(here.files);
  const [first] = again.files;
  const inodes = [here.place, again.place].map((place) => stat(join(place, first?.file ?? '')));
  const [one, two] = await Promise.all(inodes);
  expect(two?.ino).toBe(one?.ino);
});

test('an error is what it is without a thread, and nothing is written after it', async () => {
  await writeSources();
  await writeFile(join(directory, 'third.csv'), 'id,name\n1,"never closed\n');
  const errorOf = async (into: string) => {
    try {
      return await exported(into, all);
    } catch (error) {
      const { code, message, hint, kind } = error as Record<string, unknown>;
      return { isOurs: error instanceof Error, code, message, hint, kind };
    }
  };
  const there = await errorOf('threads');
  const [place = ''] = await readdir(target);
  const sizes = async () => {
    const names = (await readdir(join(target, place))).sort();
    return Promise.all(
      names.map(async (name) => [name, (await stat(join(target, place, name))).size]),
    );
  };
  const left = await sizes();
  await sleep(200);
  expect(await sizes()).toEqual(left);
  Object.assign(threads, inline);
  expect(there).toEqual(await errorOf('inline'));
  expect(there).toMatchObject({ code: 'SourceUnreadable', isOurs: true });
});

test('one that is given up ends at once, with the reason', async () => {
  await writeSources();
  const giveUp = new AbortController();
  const reason = new Error('the job was aborted');
  const given = exported('given-up', large, {
    signal: giveUp.signal,
    onProgress: () => giveUp.abort(reason),
  });
  await expect(given).rejects.toBe(reason);
  await expect(exported('never', large, { signal: giveUp.signal })).rejects.toBe(reason);
});
