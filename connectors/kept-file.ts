/** The file of the last extraction, used again for a source that did not change since. */
import { createHash } from 'node:crypto';
import { link, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ExtractedFile, KeptFile } from './connector.ts';
import { fileDigest } from './file-digest.ts';
import { differenceName } from './former-comparison.ts';
import { indexName } from './record-index.ts';

/** What a source file is read for. */
export interface Relinking {
  readonly path: string;
  /** Where the extraction's file will be. */
  readonly target: string;
  readonly kept: KeptFile | undefined;
  /** How many bytes at the file's beginning its digest leaves out. Default 0. */
  readonly start?: number;
  /** What `ExtractedFile.origin` is for a source of this SHA-256. */
  readonly originOf: (sha256: string) => string;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/**
 * A source that is, byte by byte, what the last extraction was made from gets a second name for that extraction's file,
 * which costs neither space nor a look at its rows. The file itself is looked at: somebody may have touched it.
 */
export async function linkUnchanged({
  path,
  target,
  kept,
  start = 0,
  originOf,
  signal,
  onBytes,
}: Relinking): Promise<ExtractedFile | undefined> {
  if (kept?.file.origin === undefined || (await stat(path)).size !== kept.file.originBytes) return;
  const sha256 = await fileDigest(path, { start, signal });
  if (originOf(sha256) !== kept.file.origin) return;
  try {
    if ((await fileDigest(kept.path, { signal })) !== kept.file.sha256) return;
    await link(kept.path, target);
    const { index, difference, ...file } = kept.file;
    const beside = {
      ...(await linkBeside(kept, 'index', index, indexName(target))),
      ...(await linkBeside(kept, 'difference', difference, differenceName(target))),
    };
    onBytes(kept.file.originBytes ?? 0);
    return { ...file, file: basename(target), ...beside };
  } catch (error) {
    // Purged since, or a file system without links.
    if (signal.aborted) throw error;
    return;
  }
}

/** Nobody reads a file of which the manifest does not know; one that was touched is found out by who reads it. */
async function linkBeside<Name extends string, File extends { readonly file: string }>(
  { path }: KeptFile,
  name: Name,
  file: File | undefined,
  target: string,
): Promise<Partial<Record<Name, File>>> {
  if (file === undefined) return {};
  try {
    await link(join(dirname(path), file.file), target);
  } catch {
    return {};
  }
  return { [name]: { ...file, file: basename(target) } } as Record<Name, File>;
}

/** Digests what a file of an extraction was made from: the SHA-256 of the source, and everything about how it was read. */
export function originDigest(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
