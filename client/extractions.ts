/** The extractions that are kept: listed from the store, downloaded from where the workers keep them. */
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readExtracted, readManifest } from '../connectors/extraction.ts';
import { LockstepError } from '../engine/errors.ts';
import {
  type ExtractionSummary,
  findExtraction,
  listExtractions,
  type NotedExtraction,
} from '../store/queries/extractions.ts';
import { requireConnector } from './run.ts';
import type { Session } from './session.ts';

/** Which extractions to list. */
export interface ExtractionsOptions {
  /** All of them without. */
  readonly connector?: string | undefined;
  /** Default 50. */
  readonly limit?: number | undefined;
}

/** A downloaded extraction. */
export interface DownloadedExtraction {
  readonly extraction: string;
  /** Absolute or relative paths, as the directory was given. */
  readonly files: readonly string[];
  readonly bytes: number;
}

/** The kept extractions, newest first. */
export async function viewExtractions(
  session: Session,
  { connector, limit = 50 }: ExtractionsOptions,
): Promise<ExtractionSummary[]> {
  const found = await listExtractions(await session.store(), { connector, limit });
  // One that has none may be one that is not there.
  if (connector !== undefined && found.length === 0) await requireConnector(session, connector);
  return found;
}

/** @throws LockstepError `NotFound` when there is none of that name, or it was removed */
export async function requireExtraction(session: Session, named: string): Promise<NotedExtraction> {
  const found = await findExtraction(await session.store(), named);
  if (found?.isKept) return found;
  const fate = found ? `extraction ${found.id} is not kept any more` : `no extraction “${named}”`;
  throw new LockstepError('NotFound', found ? `The ${fate}` : `There is ${fate}`, {
    hint: 'See `lockstep extractions` for those that are kept.',
  });
}

/**
 * Copies the files of an extraction, and its manifest, into a directory, for its owner alone (0700, 0600). What they say is
 * checked on the way: what was touched is not handed out.
 *
 * **Danger:** the copies hold identity data, and nobody removes them for you.
 *
 * @param named id of an extraction, or of a job that made or used it
 * @param directory is made; files that are there already are not overwritten
 * @throws LockstepError `NotFound`, `ExtractionModified`, `UsageInvalid`. None of the files is left behind then.
 */
export async function downloadExtraction(
  session: Session,
  named: string,
  directory: string,
): Promise<DownloadedExtraction> {
  const root = session.settings.extractions;
  const { id, manifestSha256 } = await requireExtraction(session, named);
  await requireFiles(root, id);
  const manifest = await readManifest(root, id, manifestSha256);
  const written: string[] = [];
  const never = new AbortController().signal;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    let bytes = 0;
    for (const file of manifest.files) {
      const target = join(directory, basename(file.file));
      await write(target, readExtracted(root, id, file, never), written);
      bytes += file.bytes;
    }
    const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
    await write(join(directory, 'manifest.json'), [text], written);
    return { extraction: id, files: written, bytes };
  } catch (error) {
    for (const path of written) await rm(path, { force: true });
    throw error;
  }
}

async function write(
  path: string,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  written: string[],
): Promise<void> {
  await using file = await openNew(path);
  written.push(path);
  for await (const chunk of chunks) await file.writeFile(chunk);
}

/**
 * Opens a file for its owner alone.
 *
 * @throws LockstepError `UsageInvalid` when it exists, or its directory does not
 */
export async function openNew(path: string) {
  try {
    return await open(path, 'wx', 0o600);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EEXIST' && code !== 'ENOENT') throw cause;
    const what = code === 'EEXIST' ? 'exists already' : 'is in no directory that exists';
    throw new LockstepError('UsageInvalid', `${path} ${what}`, {
      hint: 'Nothing is overwritten. Name another place.',
      cause,
    });
  }
}

async function requireFiles(root: string, id: string): Promise<void> {
  const path = join(root, id);
  if (await stat(path).catch(() => undefined)) return;
  throw new LockstepError('NotFound', `The files of extraction ${id} are not at ${path}`, {
    hint: 'Run this where the workers run, with their LOCKSTEP_HOME.',
  });
}
