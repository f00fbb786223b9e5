/** The record digests of what a scope was last read from, in a file: reading them is cheaper than asking the store. */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileChunks, writeAll } from '../connectors/file-chunks.ts';
import { DigestSet } from '../engine/digest-set.ts';
import { digestText } from '../engine/record-digest.ts';
import type { ScopeSource } from '../store/scope-source.ts';
import type { MappedSource } from './mapped-source.ts';

/** Fewer digests are read from the store in no time. */
const worthKeeping = 50_000;
const digestBytes = 16;
const flushBytes = 1 << 18;

/** Which records the digests are those of. */
type Read = Pick<ScopeSource, 'sha256' | 'seed'>;

const suffix = '.digests';

function directoryOf({ root, extraction }: MappedSource): string {
  return join(root, dirname(extraction), '~digests');
}

function nameOf({ scope }: MappedSource, { sha256, seed }: Read): string {
  return `${scope}~${sha256}~${seed}${suffix}`;
}

/**
 * Reads the digests of the rows of a scope that holds just what was read from a file.
 *
 * @returns undefined when they were not kept, or not undamaged; or when several records of the file stand for one row
 */
export async function readKeptDigests(
  source: MappedSource,
  held: ScopeSource,
  signal: AbortSignal,
): Promise<DigestSet | undefined> {
  const { stored } = held;
  if (stored < worthKeeping) return undefined;
  const path = join(directoryOf(source), nameOf(source, held));
  const digests = new DigestSet(stored);
  const hash = createHash('sha256');
  let left = stored * digestBytes;
  let trailer = Buffer.alloc(0);
  try {
    for await (const chunk of fileChunks(path, { signal })) {
      const part = chunk.subarray(0, Math.min(left, chunk.length));
      if (part.length % digestBytes !== 0) return undefined;
      hash.update(part);
      digests.addAll(part);
      left -= part.length;
      trailer = Buffer.concat([trailer, chunk.subarray(part.length)]);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return left === 0 && trailer.equals(hash.digest()) ? digests : undefined;
}

/** Keeps the digests of a source while it is read. */
export class DigestKeeper {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #words = new Uint32Array(flushBytes / 2);
  #used = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Begins; what was kept of the scope before goes, but for what it still holds.
   *
   * @param held what the scope was last read from
   * @returns undefined when it is not worth it
   */
  static async open(
    source: MappedSource,
    held: Read | undefined,
  ): Promise<DigestKeeper | undefined> {
    if (source.file.rows < worthKeeping) return undefined;
    const directory = directoryOf(source);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const kept = held && nameOf(source, held);
    for (const entry of await readdir(directory)) {
      if (entry.startsWith(`${source.scope}~`) && entry !== kept) await rm(join(directory, entry));
    }
    const read = { sha256: source.file.sha256, seed: digestText(source.seed) };
    const path = join(directory, nameOf(source, read));
    return new DigestKeeper(path, await open(`${path}~unfinished`, 'w', 0o600));
  }

  /** Adds the digest of the next record. */
  add(words: Uint32Array): void {
    if (this.#used === this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words.set(words, this.#used);
    this.#used += 4;
  }

  /** Writes what has come together when it is enough. Call it now and then. */
  async flushIfFull(): Promise<void> {
    if (this.#used * 4 >= flushBytes) await this.#flush();
  }

  /** Writes the rest; only now can it be read. */
  async end(): Promise<void> {
    await this.#flush();
    await writeAll(this.#file, this.#hash.digest());
    await this.#file.close();
    await rename(`${this.#path}~unfinished`, this.#path);
  }

  /** Leaves it unfinished. */
  async abandon(): Promise<void> {
    await this.#file.close();
    await rm(`${this.#path}~unfinished`, { force: true });
  }

  async #flush(): Promise<void> {
    const bytes = new Uint8Array(this.#words.buffer, 0, this.#used * 4);
    this.#hash.update(bytes);
    await writeAll(this.#file, bytes);
    this.#used = 0;
  }
}
