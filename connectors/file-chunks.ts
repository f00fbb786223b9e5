/**
 * Reads a file chunk by chunk into memory that is used again, so that reading much leaves no garbage; and writes one. The
 * worker's own thread never waits for the disk. A thread of its own has nothing else to do, and waits: a promise costs it
 * more than most reads and writes do, and another thread that needs a processor.
 */
import { readSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { isMainThread } from 'node:worker_threads';

const chunkBytes = 1 << 18;
const leastBytes = 1 << 12;

/** Gives the bytes of a file from `start` (default 0) on, up to 256 KiB at a time; each chunk is valid until the next one. */
export async function* fileChunks(
  path: string,
  { start = 0, signal }: { start?: number; signal?: AbortSignal } = {},
): AsyncGenerator<Buffer> {
  await using file = await open(path);
  // Many files are small, and memory that is asked for in vain has to be collected.
  const { size } = await file.stat();
  const room = Math.min(Math.max(size - start, leastBytes), chunkBytes);
  const chunks = isMainThread ? readAhead(file, room, start) : readInPlace(file, room, start);
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

/** The next chunk is read while one is used. */
async function* readAhead(file: FileHandle, room: number, start: number): AsyncGenerator<Buffer> {
  const [first, second] = [room, room].map((bytes) => Buffer.allocUnsafeSlow(bytes));
  let [now, next] = [first as Buffer, second as Buffer];
  let position = start;
  const read = (into: Buffer) => {
    const answer = file.read(into, 0, room, position);
    // It may fail while the chunk before is still being used; whoever awaits it hears of that.
    answer.catch(() => {});
    return answer;
  };
  let reading = read(now);
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      position += bytesRead;
      reading = read(next);
      yield now.subarray(0, bytesRead);
      [now, next] = [next, now];
    }
  } finally {
    // The file is not closed, nor the memory given back, while it is read.
    await reading.catch(() => {});
  }
}

function* readInPlace({ fd }: FileHandle, room: number, start: number): Generator<Buffer> {
  const chunk = Buffer.allocUnsafeSlow(room);
  let position = start;
  for (;;) {
    const bytesRead = readSync(fd, chunk, 0, room, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** Writes all of the bytes: a disk that is nearly full may take a part only, before it says so. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += isMainThread
      ? (await file.write(bytes, written)).bytesWritten
      : writeSync(file.fd, bytes, written);
  }
}
