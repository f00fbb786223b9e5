/** Reads some records of a file by its index, without looking at the others. */
import { type FileHandle, open } from 'node:fs/promises';
import { type OnRecord, RecordScanner } from '../engine/record-scanner.ts';
import type { ExtractedFile } from './connector.ts';
import type { Landmarks } from './record-index.ts';

/** So much is read at once: what lies between two records that are near to each other costs less than a second read. */
const windowBytes = 1 << 18;

/** A file of which some records are wanted. */
export interface IndexedFile {
  /** Absolute. */
  readonly path: string;
  readonly file: Pick<ExtractedFile, 'bytes' | 'delimiter' | 'countsRecords'>;
  readonly landmarks: Landmarks;
}

/** Called for each record with its number, see {@link OnRecord}. */
export type OnNumbered = (number: number, ...record: Parameters<OnRecord>) => void;

/**
 * Reads the records of these numbers, which ascend, and calls `onRecord` for each that is where the index has it. Whether
 * it is the one that was meant tells its digest: the file may have been touched since.
 *
 * @param settle awaited after every stretch of records
 */
export async function readRecords(
  { path, file, landmarks }: IndexedFile,
  numbers: Iterable<number>,
  onRecord: OnNumbered,
  settle: () => Promise<void>,
): Promise<void> {
  let number = 0;
  const wanted: number[] = [];
  let next = 0;
  const scanner = new RecordScanner(
    file.delimiter,
    (scanned, start, end, line) => {
      if (number === wanted[next]) {
        next += 1;
        onRecord(number, scanned, start, end, line);
      }
      number += 1;
    },
    file.countsRecords,
  );
  await using handle = await open(path);
  const window = new FileWindow(handle, file.bytes);
  let stretch = 0;
  const readStretch = async () => {
    const { record, line, offset } = landmarks.at(stretch);
    const end = stretch + 1 < landmarks.length ? landmarks.at(stretch + 1).offset : file.bytes;
    number = record;
    next = 0;
    scanner.moveTo(offset, line);
    scanner.push(window.has(offset, end) ?? (await window.read(offset, end)));
    scanner.end();
    wanted.length = 0;
    await settle();
  };
  for (const each of numbers) {
    const of = landmarks.before(each, stretch);
    if (of !== stretch && wanted.length > 0) await readStretch();
    stretch = of;
    wanted.push(each);
  }
  if (wanted.length > 0) await readStretch();
}

/** A part of a file that is in memory. */
class FileWindow {
  readonly #handle: FileHandle;
  readonly #size: number;
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.#size = size;
  }

  /** What is there already, valid until the next read. */
  has(from: number, to: number): Buffer | undefined {
    if (from < this.#from || to > this.#to) return undefined;
    return this.#bytes.subarray(from - this.#from, to - this.#from);
  }

  /** Fewer bytes only where the file ends. */
  async read(from: number, to: number): Promise<Buffer> {
    const wanted = Math.max(windowBytes, to - from);
    const length = Math.max(0, Math.min(wanted, this.#size - from));
    if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await this.#handle.read(this.#bytes, 0, length, from);
    this.#from = from;
    this.#to = from + bytesRead;
    return this.#bytes.subarray(0, Math.min(to - from, bytesRead));
  }
}
