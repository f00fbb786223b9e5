/** Takes what the mapping thread makes of a source's records and tells it row by row, without a store. */
import type { RejectCode } from '../engine/errors.ts';
import { RowReader } from '../store/row-reader.ts';
import type { StagedPart } from '../store/row-writer.ts';
import type { StagingSink } from '../store/staging.ts';

/** A row that cannot be used; `key` where it is known. */
export interface RejectedRow {
  readonly key: Buffer | null;
  readonly line: number;
  readonly code: RejectCode;
  readonly column: string | null;
}

/** Hears of each row. Keys are UTF-8. */
export interface RowListener {
  /** A row that can be used: its key, or the keys of both ends of a link. */
  usable(keys: readonly Buffer[], line: number): void;
  rejected(row: RejectedRow): void;
  /** A reference of a usable row, by the number that the mapping was given for its property. */
  reference(property: number, target: Buffer, line: number): void;
  /** Called after every part, so that what was gathered can be worked off before more comes. */
  settle(): Promise<void>;
}

type Fields = readonly (Buffer | null)[];

/** A sink for rows that are looked at and not kept. */
export class MappedRows implements StagingSink {
  readonly #kind: 'rows' | 'links';
  readonly #listener: RowListener;
  /** The usable rows of the batch at hand, whose references follow in the same order. */
  #batch: { key: Buffer; line: number }[] = [];
  #owner = 0;

  constructor(kind: 'rows' | 'links', listener: RowListener) {
    this.#kind = kind;
    this.#listener = listener;
  }

  async write(part: StagedPart, rows: Uint8Array): Promise<void> {
    if (part === 'usable') {
      this.#batch = [];
      this.#owner = 0;
    }
    const reader = new RowReader(rows);
    for (let fields = reader.next(); fields; fields = reader.next()) this.#tell(part, fields);
    await this.#listener.settle();
  }

  async end(): Promise<void> {}

  async abandon(): Promise<void> {}

  #tell(part: StagedPart, fields: Fields): void {
    if (part === 'usable') this.#usable(fields);
    else if (part === 'rejected') this.#rejected(fields);
    else this.#reference(fields);
  }

  #usable([, first, second, , line]: Fields): void {
    const place = intOf(line);
    const keys = this.#kind === 'links' ? [first, second] : [first];
    if (this.#kind === 'rows') this.#batch.push({ key: first as Buffer, line: place });
    this.#listener.usable(keys as Buffer[], place);
  }

  #rejected(fields: Fields): void {
    const isRow = this.#kind === 'rows';
    const [line, code, column] = fields.slice(isRow ? 4 : 3);
    this.#listener.rejected({
      key: isRow ? (fields[1] ?? null) : null,
      line: intOf(line),
      code: String(code) as RejectCode,
      column: column ? column.toString() : null,
    });
  }

  #reference([property, from, target]: Fields): void {
    const batch = this.#batch;
    while (this.#owner < batch.length && !batch[this.#owner]?.key.equals(from as Buffer)) {
      this.#owner += 1;
    }
    this.#listener.reference(intOf(property), target as Buffer, batch[this.#owner]?.line ?? 0);
  }
}

function intOf(field: Buffer | null | undefined): number {
  return field ? field.readInt32BE(0) : 0;
}
