import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { digestBytes } from '../engine/record-digest.ts';
import type { IndexFile } from './record-index.ts';

/** Where the records of a file are: each landmark tells the place of one, and those up to the next landmark follow it. */
export class Landmarks {
  /** Four a landmark. */
  readonly words: Uint32Array;

  constructor(words: Uint32Array) {
    this.words = words;
  }

  get length(): number {
    return this.words.length / 4;
  }

  /** How many records of the file come before that of a landmark. */
  record(index: number): number {
    return this.words[index * 4] as number;
  }

  line(index: number): number {
    return this.words[index * 4 + 1] as number;
  }

  /** Of the first byte of its record. */
  offset(index: number): number {
    const low = this.words[index * 4 + 2] as number;
    return (this.words[index * 4 + 3] as number) * 2 ** 32 + low;
  }

  /** Index of the last landmark that is not after a record, looked for from another one on, which is not after it either. */
  before(record: number, from = 0): number {
    let index = from;
    while (index + 1 < this.length && this.record(index + 1) <= record) index += 1;
    return index;
  }
}

/**
 * Reads the landmarks of an index, without its digests.
 *
 * @param records how many its file has
 * @returns undefined when they are not what was written, or nobody noted what that was
 */
export async function readLandmarks(
  path: string,
  { bytes, landmarksSha256 }: Pick<IndexFile, 'bytes' | 'landmarksSha256'>,
  records: number,
): Promise<Landmarks | undefined> {
  const from = records * digestBytes;
  const words = new Uint32Array(Math.max(0, bytes - from) / 4);
  try {
    await using file = await open(path);
    await file.read(new Uint8Array(words.buffer), { position: from });
  } catch {
    return undefined;
  }
  return createHash('sha256').update(words).digest('hex') === landmarksSha256
    ? new Landmarks(words)
    : undefined;
}
