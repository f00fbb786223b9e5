/** Waits until a file has been left alone for a while: one that is still being written is not read. */
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LockstepError } from '../engine/errors.ts';
import { asReadError } from './source-file.ts';

/** How long a file that looks unfinished must have been left alone, in seconds. */
const unfinishedRest = 2;

export interface Settling {
  readonly path: string;
  /** Its name, for people. */
  readonly file: string;
  /** Seconds; undefined: only a file whose last line has no end must rest, for 2 seconds. */
  readonly settle: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Waits, at most once as long as the file must rest.
 *
 * @throws LockstepError `SourceUnavailable` when it was written to meanwhile: the export is tried again
 */
export async function awaitSettled({ path, file, settle, signal }: Settling): Promise<void> {
  try {
    await using handle = await open(path);
    const before = await handle.stat();
    if (!before.isFile()) return;
    const rest = settle ?? ((await endsItsLastLine(handle, before.size)) ? 0 : unfinishedRest);
    // A clock of another machine may be ahead: what was written in the future was written now.
    const rested = Math.max(0, Date.now() - before.mtimeMs) / 1000;
    if (rested >= rest) return;
    await sleep((rest - rested) * 1000, undefined, { signal });
    const after = await handle.stat();
    if (after.size === before.size && after.mtimeMs === before.mtimeMs) return;
  } catch (error) {
    throw asReadError(error, file);
  }
  throw new LockstepError('SourceUnavailable', `${file} is still being written`, {
    hint: 'Have it written under another name and renamed when it is complete. The export is tried again.',
  });
}

/** Line ends of two bytes, too: those of UTF-16. */
async function endsItsLastLine(handle: FileHandle, size: number): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, Math.max(0, size - 2));
  return [...buffer.subarray(0, bytesRead)].some((byte) => byte === 0x0a || byte === 0x0d);
}
