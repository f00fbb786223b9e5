/** Reads rows in the binary format of COPY back, field by field: what a `RowWriter` wrote. */

/** A view of rows laid end to end. */
export class RowReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(rows: Uint8Array) {
    this.#bytes = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength);
  }

  /** The fields of the next row, each a view of its bytes or null; undefined at the end. */
  next(): (Buffer | null)[] | undefined {
    if (this.#at >= this.#bytes.length) return undefined;
    const fields = this.#bytes.readInt16BE(this.#at);
    this.#at += 2;
    return Array.from({ length: fields }, () => this.#field());
  }

  #field(): Buffer | null {
    const length = this.#bytes.readInt32BE(this.#at);
    this.#at += 4;
    if (length < 0) return null;
    const field = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return field;
  }
}
