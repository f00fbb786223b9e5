/** The SHA-256 of a file. */
import { createHash } from 'node:crypto';
import { fileChunks } from './file-chunks.ts';

/** Reads a file through from `start` (in bytes, default 0) and digests it; hexadecimal. */
export async function fileDigest(
  path: string,
  { start = 0, signal }: { start?: number; signal?: AbortSignal } = {},
): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of fileChunks(path, { start, ...(signal && { signal }) }))
    hash.update(chunk);
  return hash.digest('hex');
}
