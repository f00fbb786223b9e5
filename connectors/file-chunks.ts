/** Reads a file chunk by chunk into memory that is used again, so that reading much leaves no garbage; and writes one. */
import { type FileHandle, open } from 'node:fs/promises';

const chunkBytes = 1 << 18;

/** Gives the bytes of a file from `start` (default 0) on, 256 KiB at a time; each chunk is valid until the next one. */
export async function* fileChunks(
  path: string,
  { start = 0, signal }: { start?: number; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  await using file = await open(path);
  const chunk = Buffer.allocUnsafeSlow(chunkBytes);
  let position = start;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(chunk, 0, chunkBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** Writes all of the bytes: a disk that is nearly full may take a part only, before it says so. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten;
}
