/** Reads some records of a file by its index, without looking at the others. */
import { type OnRecord, RecordScanner } from '../engine/record-scanner.ts';
import type { ExtractedFile } from './connector.ts';
import { FileWindow } from './file-window.ts';
import type { Landmarks } from './landmarks.ts';

/** Where fewer bytes than that lie between two of them, on an average, reading them costs less than another call. */
const near = 1 << 14;

/** A file of which some records are wanted. */
export interface IndexedFile {
  /** Absolute. */
  readonly path: string;
  readonly file: Pick<ExtractedFile, 'bytes' | 'delimiter' | 'countsRecords'>;
  readonly landmarks: Landmarks;
}

/** Called for each record with which one of those that are wanted it is, from 0; see {@link OnRecord}. */
export type OnWanted = (nth: number, ...record: Parameters<OnRecord>) => void;

/**
 * The records of some numbers. **Danger:** it waits for the disk, without a promise, because a promise costs more than most
 * reads do: it is for threads that have nothing else to do.
 */
export class IndexedRecords implements Disposable {
  readonly #landmarks: Landmarks;
  readonly #size: number;
  readonly #wanted: Uint32Array;
  readonly #scanner: RecordScanner;
  readonly #window: FileWindow;
  #nth = 0;
  #stretch = 0;
  /** Of the record that the scanner comes to next. */
  #number = 0;

  /**
   * @param wanted numbers of records, which ascend
   * @param onRecord called for each that is where the index has it. Whether it is the one that was meant tells its digest:
   *   the file may have been touched since.
   * @throws Error of the system, as `ENOENT`; so does `read`
   */
  constructor({ path, file, landmarks }: IndexedFile, wanted: Uint32Array, onRecord: OnWanted) {
    this.#landmarks = landmarks;
    this.#size = file.bytes;
    this.#wanted = wanted;
    this.#scanner = new RecordScanner(
      file.delimiter,
      (scanned, start, end, line) => {
        if (this.#number === wanted[this.#nth]) {
          onRecord(this.#nth, scanned, start, end, line);
          this.#nth += 1;
        }
        this.#number += 1;
      },
      file.countsRecords,
    );
    const readsAll = file.bytes / wanted.length < near;
    this.#window = new FileWindow(path, file.bytes, readsAll);
  }

  /** Reads on, up to the next landmark. @returns false when there is nothing left */
  read(): boolean {
    const wanted = this.#wanted;
    if (this.#nth >= wanted.length) return false;
    const landmarks = this.#landmarks;
    const stretch = landmarks.before(wanted[this.#nth] as number, this.#stretch);
    this.#stretch = stretch;
    const isLast = stretch + 1 === landmarks.length;
    const offset = landmarks.offset(stretch);
    this.#number = landmarks.record(stretch);
    this.#scanner.moveTo(offset, landmarks.line(stretch));
    this.#scanner.push(
      this.#window.read(offset, isLast ? this.#size : landmarks.offset(stretch + 1)),
    );
    this.#scanner.end();
    // One that is not there any more is passed over.
    const after = isLast ? Number.POSITIVE_INFINITY : landmarks.record(stretch + 1);
    while (this.#nth < wanted.length && (wanted[this.#nth] as number) < after) this.#nth += 1;
    return true;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#window[Symbol.dispose]();
  }
}
