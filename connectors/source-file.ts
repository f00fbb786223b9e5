/** A file that is a source: its size, whether it stays as it is while it is read, and what its read errors mean. */
import { open, stat } from 'node:fs/promises';
import { LockstepError } from '../engine/errors.ts';
import { fileChunks } from './file-chunks.ts';

/**
 * Reads a file with `read`, and refuses what it gave when the file was another one at its end.
 *
 * @throws LockstepError `SourceUnavailable`: the export is tried again.
 */
export async function readUndisturbed<Result>(
  path: string,
  source: string,
  read: () => Promise<Result>,
): Promise<Result> {
  const before = await identity(path, source);
  const isDisturbed = async () => (await identity(path, source)) !== before;
  try {
    const result = await read();
    if (!(await isDisturbed())) return result;
  } catch (error) {
    // Whatever is wrong with a file that is being written may be right when it is complete.
    if (!(error instanceof LockstepError) || !(await isDisturbed())) throw error;
  }
  throw new LockstepError('SourceUnavailable', `${source} was written to while it was read`, {
    hint: 'Have it written under another name and renamed when it is complete. The export is tried again.',
  });
}

/** The first bytes of a file, or all of it when it has no more. */
export async function firstBytes(path: string, source: string, count: number): Promise<Buffer> {
  try {
    await using handle = await open(path);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw asReadError(error, source);
  }
}

/** Gives the bytes of a source as `fileChunks` does; what cannot be read is `SourceUnavailable`. */
export async function* sourceChunks(
  path: string,
  source: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    yield* fileChunks(path, { signal });
  } catch (error) {
    throw asReadError(error, source);
  }
}

/** What a file of an extraction is called: whatever stands between folders, two sources are two files. */
export function extractedName(source: string): string {
  return source.replaceAll(
    /[\\/%*?]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** What tells that a file is still the same: its place, size and time of change. */
async function identity(path: string, source: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    throw asReadError(error, source);
  }
}

const readErrors: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by the worker',
  EPERM: 'may not be read by the worker',
  EISDIR: 'is a directory',
  ENOTDIR: 'is not in a directory',
};

/** A file system's error as `SourceUnavailable`, where an operator can mend its cause; any other error as it is. */
export function asReadError(error: unknown, source: string): unknown {
  const reason = readErrors[(error as NodeJS.ErrnoException).code ?? ''];
  return reason === undefined
    ? error
    : new LockstepError('SourceUnavailable', `${source} ${reason}`, { cause: error });
}
