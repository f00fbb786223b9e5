/** Generated data, kept between benchmark runs below the user's cache directory. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Changes,
  type Day,
  days,
  type FileName,
  files,
  generateData,
  type SizeName,
  sizes,
} from './generate-data.ts';

/** Paths of the files of one day. */
export interface DayFiles extends Readonly<Record<FileName, string>> {
  readonly directory: string;
}

/** The data of one size. */
export interface Data {
  readonly size: SizeName;
  readonly days: Readonly<Record<Day, DayFiles>>;
  /** What the generator changed from the first day to the second. */
  readonly changes: Changes;
  /** Bytes of the first day. */
  readonly bytes: number;
}

/** Written last: a directory without it is not complete. */
const marker = 'changes.json';

/** The data of a size, generated when this version of the generator has not done so yet. */
export async function dataOf(size: SizeName, cache: string, signal: AbortSignal): Promise<Data> {
  const directory = join(cache, `bench-data-${size}-${await generatorVersion(size)}`);
  const changes =
    (await readChanges(directory)) ?? (await generate(size, cache, directory, signal));
  const found = Object.fromEntries(
    days.map((day) => [day, filesOf(join(directory, day))]),
  ) as unknown as Record<Day, DayFiles>;
  const sums = files.map(async (name) => (await stat(found['day-0'][name])).size);
  const bytes = (await Promise.all(sums)).reduce((sum, each) => sum + each, 0);
  return { size, days: found, changes, bytes };
}

/** Other code or other numbers: other data. */
async function generatorVersion(size: SizeName): Promise<string> {
  const code = await readFile(new URL('./generate-data.ts', import.meta.url));
  const digest = createHash('sha256').update(code).update(JSON.stringify(sizes[size]));
  return digest.digest('hex').slice(0, 12);
}

function filesOf(directory: string): DayFiles {
  const paths = files.map((name) => [name, join(directory, `${name}.csv`)]);
  return { directory, ...(Object.fromEntries(paths) as Record<FileName, string>) };
}

async function readChanges(directory: string): Promise<Changes | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, marker), 'utf8')) as Changes;
  } catch {
    return undefined;
  }
}

/** Generates beside the place and renames into it, so that nothing half written is ever found there. */
async function generate(
  size: SizeName,
  cache: string,
  directory: string,
  signal: AbortSignal,
): Promise<Changes> {
  console.error(`Generating ${size}: ${JSON.stringify(sizes[size])} …`);
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, '.generating-'));
  try {
    const changes = await generateData(staging, sizes[size], signal);
    await writeFile(join(staging, marker), JSON.stringify(changes));
    await removeOlder(size, cache);
    await rename(staging, directory);
    return changes;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** What other versions of the generator made of this size. */
async function removeOlder(size: SizeName, cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (name.startsWith(`bench-data-${size}-`)) {
      await rm(join(cache, name), { recursive: true, force: true });
    }
  }
}
