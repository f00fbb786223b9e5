/** The extraction: the immutable snapshot an export leaves, with the manifest that proves it complete and untouched. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LockstepError } from '../engine/errors.ts';
import type { Mode } from '../engine/job.ts';
import type { ExtractedFile, KeptFile } from './connector.ts';
import { fileChunks } from './file-chunks.ts';

/** What an extraction is; written last, so an extraction without one was never finished. */
export interface Manifest {
  /** `<connector>/<job>~<random>` below the extractions' directory: unique per export. */
  readonly id: string;
  readonly connector: string;
  readonly job: string;
  /** Of an incremental one, each file says itself whether it holds everything. */
  readonly mode: Mode;
  readonly createdAt: string;
  readonly files: readonly ExtractedFile[];
}

const manifestFile = 'manifest.json';

/** A manifest as it was written, with the SHA-256 (hexadecimal) of its bytes: kept elsewhere, it proves them untouched. */
export interface WrittenManifest {
  readonly manifest: Manifest;
  readonly sha256: string;
}

/** An export's own directory; nobody but the worker's user may look into it. */
export interface NewExtraction {
  readonly directory: string;
  /** Writes the manifest and gives the extraction its name, in one step that a crash cannot halve. */
  complete(files: readonly ExtractedFile[], mode?: Mode): Promise<WrittenManifest>;
  /** Removes what was written. */
  discard(): Promise<void>;
}

/** Makes room for an extraction. What an earlier attempt of the same job left is superseded, and removed. */
export async function createExtraction(
  root: string,
  connector: string,
  job: string,
): Promise<NewExtraction> {
  const parent = join(root, connector);
  const stem = job.replaceAll(/[^A-Za-z0-9._-]/g, '_');
  const name = `${stem}~${randomBytes(4).toString('hex')}`;
  // Of its own, too: an attempt that was taken for dead may go on writing beside its successor.
  const unfinished = join(parent, `${name}~unfinished`);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(parent)) {
    if (entry.startsWith(`${stem}~`))
      await rm(join(parent, entry), { recursive: true, force: true });
  }
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  return {
    directory: unfinished,
    async complete(files, mode = 'complete') {
      const id = `${connector}/${name}`;
      const createdAt = new Date().toISOString();
      const manifest: Manifest = { id, connector, job, mode, createdAt, files };
      await using handle = await open(join(unfinished, manifestFile), 'wx', 0o600);
      const text = `${JSON.stringify(manifest, null, 2)}\n`;
      await handle.writeFile(text);
      await handle.sync();
      await rename(unfinished, join(parent, name));
      return { manifest, sha256: sha256Of(text) };
    },
    async discard() {
      await rm(unfinished, { recursive: true, force: true });
    },
  };
}

/**
 * @param sha256 what the manifest's bytes must be, where that was noted
 * @throws LockstepError `ExtractionModified` when there is no such complete extraction any more, or its manifest is another
 */
export async function readManifest(
  root: string,
  id: string,
  sha256: string | null = null,
): Promise<Manifest> {
  let text: string;
  let manifest: Manifest;
  try {
    text = await readFile(join(root, id, manifestFile), 'utf8');
    manifest = JSON.parse(text) as Manifest;
  } catch (cause) {
    throw new LockstepError(
      'ExtractionModified',
      `extraction ${id} is not there, or its manifest is unreadable`,
      { cause },
    );
  }
  if ((sha256 !== null && sha256Of(text) !== sha256) || manifest.id !== id)
    throw new LockstepError(
      'ExtractionModified',
      `the manifest of extraction ${id} is not what the export wrote`,
    );
  return manifest;
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A directory that stands among the extractions of a connector. */
export interface ExtractionEntry {
  /** The id of the extraction, if that is what it is. */
  readonly id: string;
  /** An export left it in the middle, or is writing it still. */
  readonly isUnfinished: boolean;
  readonly changedAt: Date;
}

/** What is on disk of a connector's extractions; nothing where none was ever made. */
export async function extractionEntries(
  root: string,
  connector: string,
): Promise<ExtractionEntry[]> {
  const entries: ExtractionEntry[] = [];
  for (const name of await readdir(join(root, connector)).catch(() => [])) {
    if (!name.includes('~')) continue;
    const found = await stat(join(root, connector, name)).catch(() => undefined);
    if (!found?.isDirectory()) continue;
    const isUnfinished = name.endsWith('~unfinished');
    entries.push({ id: `${connector}/${name}`, isUnfinished, changedAt: found.mtime });
  }
  return entries;
}

/** Removes an extraction, or what is left of one. Harmless when it is gone. */
export async function removeExtraction(root: string, id: string): Promise<void> {
  await rm(join(root, id), { recursive: true, force: true });
}

/** Where a file of an extraction is. */
export function extractedPath(root: string, id: string, { file }: { file: string }): string {
  return join(root, id, file);
}

/** A file of an extraction, or its index, as the manifest has it. */
export type WrittenBytes = Pick<ExtractedFile, 'file' | 'bytes' | 'sha256'>;

/**
 * Reads a file of an extraction as it was exported, in chunks of 256 KiB, each valid until the next one.
 *
 * @throws LockstepError `ExtractionModified` at its end when bytes or SHA-256 are not what the manifest says. Who
 * writes what was read before the end must be able to take it back.
 */
export async function* readExtracted(
  root: string,
  id: string,
  file: WrittenBytes,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of fileChunks(extractedPath(root, id, file), { signal })) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw modified(id, file);
    throw error;
  }
  if (bytes !== file.bytes || hash.digest('hex') !== file.sha256) throw modified(id, file);
}

/**
 * The files of an extraction, for the export after it; none when it is not there any more, or its manifest is another.
 *
 * @param sha256 see {@link readManifest}
 */
export async function keptFiles(
  root: string,
  id: string | null,
  sha256: string | null = null,
): Promise<KeptFile[]> {
  if (id === null) return [];
  const manifest = await readManifest(root, id, sha256).catch(() => undefined);
  if (manifest === undefined) return [];
  const { files, createdAt: completedAt } = manifest;
  return files.map((file) => ({ file, path: extractedPath(root, id, file), completedAt }));
}

/** Checks every file of an extraction against its manifest, but for indexes: a damaged one is found out, and passed over, by who reads it. */
export async function verifyExtraction(
  root: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  for (const file of manifest.files) {
    for await (const _ of readExtracted(root, manifest.id, file, signal));
  }
}

/**
 * Looks each file over without reading it: those that are gone, of another size, or written to after the manifest are
 * checked in full. It finds accidents as they happen, in no time; who sets times back is for `verifyExtraction`.
 */
export async function lookOverExtraction(
  root: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  for (const file of manifest.files) {
    const path = extractedPath(root, manifest.id, file);
    if (await isUntouched({ file, path, completedAt: manifest.createdAt })) continue;
    for await (const _ of readExtracted(root, manifest.id, file, signal));
  }
}

/** True for a file that is as long as the manifest says, and was not written to after that. */
export async function isUntouched({ file, path, completedAt }: KeptFile): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  // The manifest tells whole milliseconds, the file system fractions.
  return found?.size === file.bytes && Math.floor(found.mtimeMs) <= Date.parse(completedAt);
}

/** What `read` gives, or undefined when somebody touched what it reads, or removed it since: then there are other ways. */
export async function unlessModified<Result>(
  read: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof LockstepError && error.code === 'ExtractionModified') return undefined;
    throw error;
  }
}

/** What to throw when bytes of an extraction are not those that were exported. */
export function modified(id: string, { file }: { file: string }): LockstepError {
  return new LockstepError(
    'ExtractionModified',
    `${file} of extraction ${id} is not what the export wrote`,
  );
}
