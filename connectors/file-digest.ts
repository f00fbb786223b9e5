/** The SHA-256 of a file. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Reads a file through from `start` (in bytes, default 0) and digests it; hexadecimal. */
export async function fileDigest(
  path: string,
  { start = 0, signal }: { start?: number; signal: AbortSignal },
): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { start, highWaterMark: 1 << 20, signal })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
