/** Which files of a directory a source means: the one of its name, or those that match its pattern. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { distance } from 'fastest-levenshtein';
import { LockstepError } from '../engine/errors.ts';
import { type FileSource, isPattern } from '../engine/source.ts';
import { type ListedFile, newestFile } from './newest-file.ts';
import { asReadError } from './source-file.ts';

/** A file that a source is read from. */
export interface ChosenFile {
  /** Its name as people know it: relative to the connector's directory. */
  readonly file: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** Names that say that a file is not finished, or no file of the system at all. */
const unfinished =
  /^\.|^~\$|~$|\.(?:tmp|temp|part|partial|filepart|crdownload|upload|lock|sw[pox])$/i;

/**
 * Finds the files of a source, at least one, in the order of their names.
 *
 * @param directory of the connector, absolute
 * @throws LockstepError `SourceUnavailable` when there is none, naming the nearest; `SourceAmbiguous`
 */
export async function chooseFiles(
  directory: string,
  { file, pick }: FileSource,
): Promise<ChosenFile[]> {
  const folder = join(directory, dirname(file));
  if (!isPattern(file)) {
    const path = join(directory, file);
    try {
      return [{ file, path, size: (await stat(path)).size }];
    } catch (error) {
      throw await withNearest(asReadError(error, file), folder, file);
    }
  }
  const matching = await matchingFiles(folder, file);
  if (matching.length === 0) {
    throw await withNearest(
      new LockstepError('SourceUnavailable', `no file matches ${file} in ${folder}`),
      folder,
      file,
    );
  }
  return pick === 'all' ? matching : [newestFile(file, matching)];
}

async function matchingFiles(
  folder: string,
  pattern: string,
): Promise<(ChosenFile & ListedFile)[]> {
  const matches = matcher(basename(pattern));
  const names = await readdir(folder).catch((error: unknown) => {
    throw asReadError(error, folder);
  });
  const listed = await Promise.all(
    names
      .filter((name) => matches(name) && !unfinished.test(name))
      .toSorted()
      .map(async (name) => {
        const path = join(folder, name);
        const file = join(dirname(pattern), name);
        try {
          const found = await stat(path);
          if (!found.isFile()) return [];
          return [{ file, path, size: found.size, modified: found.mtimeMs }];
        } catch (error) {
          // Gone since it was listed: it does not matter any more.
          if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
          throw asReadError(error, file);
        }
      }),
  );
  return listed.flat();
}

function matcher(pattern: string): (name: string) => boolean {
  const source = pattern
    .replaceAll(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 'su');
  return (name) => expression.test(name);
}

/** Adds the names that come nearest to what was looked for, three at most. */
async function withNearest(error: unknown, folder: string, file: string): Promise<unknown> {
  if (!(error instanceof LockstepError)) return error;
  const names = await readdir(folder).catch(() => []);
  const wanted = likeness(basename(file));
  const near = names
    .toSorted()
    .filter((name) => !unfinished.test(name))
    .map((name) => ({ name, far: distance(likeness(name), wanted) }))
    .filter(({ far }) => far <= Math.max(2, wanted.length / 2))
    .toSorted((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ name }) => `“${name}”`);
  if (near.length === 0) return error;
  return new LockstepError(error.code, `${error.message}; there is ${near.join(', ')}`, {
    hint: error.hint,
    cause: error.cause,
  });
}

/** What is compared of names: neither capitals, nor numbers, which a pattern stands for. */
function likeness(name: string): string {
  return name.toLowerCase().replaceAll(/[*?\d]/g, '');
}
