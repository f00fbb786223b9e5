/** Unpacks gzip as a stream, within bounds: what is damaged, cut off or grows without end is refused. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { LockstepError } from '../engine/errors.ts';
import { asReadError } from './source-file.ts';

/** Text of people packs to a tenth; only what was made to grow packs to less than a two-hundredth. */
const largestRatio = 200;
/** Small files may have any ratio. */
const alwaysAllowed = 16 * 1024 * 1024;

/** True for what begins as gzip does, whatever it is called. */
export function isGzip(start: Buffer): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/** The first bytes that packed bytes stand for; none where they are no gzip after all. */
export function startOfPacked(start: Buffer): Buffer {
  try {
    return gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}

/**
 * Gives the unpacked bytes of a gzip file, of all its members one after the other.
 *
 * @param onPacked gets every chunk of the file itself
 * @throws LockstepError `SourceUnreadable` when it is damaged or grows beyond all measure, `SourceUnavailable`
 */
export async function* gunzipped(
  path: string,
  file: string,
  { signal, onPacked }: { signal: AbortSignal; onPacked: (chunk: Buffer) => void },
): AsyncGenerator<Buffer> {
  const limit = Math.max(alwaysAllowed, (await sizeOf(path, file)) * largestRatio);
  const unpacking = createGunzip({ chunkSize: 1 << 18 });
  const packed = createReadStream(path, { highWaterMark: 1 << 16, signal });
  packed.on('data', (chunk) => onPacked(chunk as Buffer));
  // What fails is heard by who reads what was unpacked.
  pipeline(packed, unpacking, () => {});
  let bytes = 0;
  try {
    for await (const chunk of unpacking as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limit) throw growsTooMuch(file);
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    const { code = '' } = error as NodeJS.ErrnoException;
    throw code.startsWith('Z_') ? damaged(file, code) : asReadError(error, file);
  }
}

async function sizeOf(path: string, file: string): Promise<number> {
  try {
    await using handle = await open(path);
    return (await handle.stat()).size;
  } catch (error) {
    throw asReadError(error, file);
  }
}

function damaged(file: string, code: string): LockstepError {
  const how =
    code === 'Z_BUF_ERROR' ? 'is cut off: its gzip data ends too soon' : 'is damaged gzip';
  return new LockstepError('SourceUnreadable', `${file} ${how}`, {
    hint: 'Have it sent again, in binary mode. Nothing of it was used.',
  });
}

function growsTooMuch(file: string): LockstepError {
  return new LockstepError(
    'SourceUnreadable',
    `${file} unpacks to more than ${largestRatio} times its size`,
    { hint: 'No export of people packs that well. If it is one after all, deliver it unpacked.' },
  );
}
