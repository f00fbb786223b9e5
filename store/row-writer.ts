/** Rows in the binary format of COPY, field by field. Loads nothing else: the mapping thread has to start fast. */

/** What the mapping of a source writes: usable rows or links, those set aside, and references of usable rows. */
export const stagedParts = ['usable', 'rejected', 'references'] as const;
export type StagedPart = (typeof stagedParts)[number];

/** Longer texts are left to Node, which needs some time to be called at all. */
const shortText = 48;

/** How the name of an attribute begins its value in JSON, for {@link RowWriter.attributes}. */
export interface AttributeName {
  readonly name: string;
  /** `,"name":` */
  readonly json: Uint8Array;
}

/**
 * Prepares names, in the order in which `jsonb` keeps them: shorter ones first, then by their bytes. PostgreSQL sorts the
 * names of every object, which costs it a quarter of its work for a row unless they come sorted.
 */
export function attributeNames(names: readonly string[]): AttributeName[] {
  const sorted = names
    .map((name) => ({ name, bytes: Buffer.from(name) }))
    .sort((one, other) => one.bytes.length - other.bytes.length || one.bytes.compare(other.bytes));
  return sorted.map(({ name }) => ({ name, json: Buffer.from(`,${JSON.stringify(name)}:`) }));
}

/** Writes rows in the binary format, field by field, each after the other. */
export class RowWriter {
  #bytes: Buffer;
  // Faster than Buffer's own methods, which check every argument.
  #view: DataView;
  #used = 0;

  /** @param bytes how much there will be, roughly; it grows */
  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** How many bytes have been written since `take`. */
  get length(): number {
    return this.#used;
  }

  /** What has been written since `take`, up to `length`; valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Where a field ends that begins here. It must not be null. */
  fieldEnd(start: number): number {
    return start + 4 + this.#view.getInt32(start);
  }

  /** Takes back what was written after this length. */
  truncate(length: number): void {
    this.#used = length;
  }

  /** Begins a row of so many fields. */
  row(fields: number): this {
    this.#makeRoom(2);
    this.#view.setInt16(this.#used, fields);
    this.#used += 2;
    return this;
  }

  /** What another writer took: the beginning that many rows have in common. */
  again(bytes: Uint8Array): this {
    this.#makeRoom(bytes.length);
    this.#copy(bytes, 0, bytes.length);
    return this;
  }

  /** An `int`. */
  int(value: number): this {
    this.#makeRoom(8);
    this.#view.setInt32(this.#used, 4);
    this.#view.setInt32(this.#used + 4, value);
    this.#used += 8;
    return this;
  }

  /** A `bigint`. */
  bigint(value: bigint): this {
    this.#makeRoom(12);
    this.#view.setInt32(this.#used, 8);
    this.#view.setBigInt64(this.#used + 4, value);
    this.#used += 12;
    return this;
  }

  /** A `text`; it must not hold U+0000, which PostgreSQL cannot store. */
  text(value: string | null): this {
    if (value === null) return this.#null();
    this.#makeRoom(4 + value.length * 3);
    const start = this.#used + 4;
    const end = start + this.#encode(value, start);
    this.#view.setInt32(this.#used, end - start);
    this.#used = end;
    return this;
  }

  /** A `text` that is UTF-8 already, without U+0000. */
  utf8(bytes: Uint8Array, start: number, end: number): this {
    this.#makeRoom(4 + end - start);
    this.#view.setInt32(this.#used, end - start);
    this.#used += 4;
    this.#copy(bytes, start, end);
    return this;
  }

  /** A `jsonb` of ready JSON text. */
  json(value: string | null): this {
    if (value === null) return this.#null();
    this.#makeRoom(5 + value.length * 3);
    const start = this.#used + 5;
    const end = start + this.#bytes.write(value, start, 'utf8');
    this.#view.setInt32(this.#used, end - start + 1);
    // The version of jsonb's own format.
    this.#bytes[start - 1] = 1;
    this.#used = end;
    return this;
  }

  /** A `jsonb` object of the attributes that have a value, in the order of `names`. */
  attributes(
    names: readonly AttributeName[],
    values: Readonly<Record<string, string | number | boolean>>,
  ): this {
    const start = this.beginAttributes();
    for (const name of names) {
      const value = values[name.name];
      // A property may be named like a method that every object has.
      if (value !== undefined && typeof value !== 'function') this.attribute(name, value);
    }
    return this.endAttributes(start);
  }

  /** Begins a `jsonb` object. @returns what `endAttributes` wants */
  beginAttributes(): number {
    this.#makeRoom(7);
    const start = this.#used;
    // The version of jsonb's own format.
    this.#bytes[start + 4] = 1;
    this.#used = start + 5;
    return start;
  }

  /** Adds an attribute to the object that has begun. */
  attribute({ json }: AttributeName, value: string | number | boolean): void {
    this.#makeRoom(json.length + 1);
    this.#copy(json, 0, json.length);
    this.#jsonValue(value);
  }

  /**
   * As `attribute`, with a text that is UTF-8 already.
   *
   * @returns false, and adds nothing, where a character has to be escaped
   */
  attributeUtf8({ json }: AttributeName, text: Uint8Array, start: number, end: number): boolean {
    const before = this.#used;
    this.#makeRoom(json.length + end - start + 3);
    this.#copy(json, 0, json.length);
    const bytes = this.#bytes;
    let at = this.#used;
    bytes[at++] = 0x22;
    for (let from = start; from < end; from++) {
      const byte = text[from] as number;
      if (byte < 0x20 || byte === 0x22 || byte === 0x5c) {
        this.#used = before;
        return false;
      }
      bytes[at++] = byte;
    }
    bytes[at++] = 0x22;
    this.#used = at;
    return true;
  }

  endAttributes(start: number): this {
    this.#makeRoom(2);
    // In place of the comma before the first attribute.
    if (this.#used === start + 5) this.#used += 1;
    this.#bytes[start + 5] = 0x7b;
    this.#bytes[this.#used++] = 0x7d;
    this.#view.setInt32(start, this.#used - start - 4);
    return this;
  }

  /** A `uuid` of four words, as they lie in memory. */
  uuid(words: Uint32Array, at = 0): this {
    this.#makeRoom(20);
    this.#view.setInt32(this.#used, 16);
    for (let index = 0; index < 4; index++) {
      this.#view.setUint32(this.#used + 4 + index * 4, words[at + index] as number, true);
    }
    this.#used += 20;
    return this;
  }

  /** What has been written, as bytes of their own; the writer begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const rows = new Uint8Array(this.#used);
    rows.set(this.#bytes.subarray(0, this.#used));
    this.#used = 0;
    return rows;
  }

  #jsonValue(value: string | number | boolean): void {
    if (typeof value !== 'string' || !this.#plainJsonText(value)) {
      const json = JSON.stringify(value);
      this.#makeRoom(json.length * 3);
      this.#used += this.#encode(json, this.#used);
    }
  }

  /** Writes a text within quotes, if none of its characters has to be escaped or is half of a surrogate pair; else nothing. */
  #plainJsonText(value: string): boolean {
    const { length } = value;
    this.#makeRoom(length * 3 + 2);
    const bytes = this.#bytes;
    let at = this.#used;
    bytes[at++] = 0x22;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code < 0x80) {
        if (code < 0x20 || code === 0x22 || code === 0x5c) return false;
        bytes[at++] = code;
      } else if (code < 0x800) {
        bytes[at++] = 0xc0 | (code >> 6);
        bytes[at++] = 0x80 | (code & 0x3f);
      } else {
        if (code >= 0xd800 && code <= 0xdfff) return false;
        bytes[at++] = 0xe0 | (code >> 12);
        bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[at++] = 0x80 | (code & 0x3f);
      }
    }
    bytes[at++] = 0x22;
    this.#used = at;
    return true;
  }

  /** For a few bytes a loop is faster than a call. */
  #copy(bytes: Uint8Array, start: number, end: number): void {
    const into = this.#bytes;
    let at = this.#used;
    if (end - start > shortText) {
      into.set(bytes.subarray(start, end), at);
      at += end - start;
    } else {
      for (let from = start; from < end; from++) into[at++] = bytes[from] as number;
    }
    this.#used = at;
  }

  #null(): this {
    this.#makeRoom(4);
    this.#view.setInt32(this.#used, -1);
    this.#used += 4;
    return this;
  }

  /** Most texts are short and ASCII, and those are written here, byte by byte. */
  #encode(value: string, start: number): number {
    const bytes = this.#bytes;
    const { length } = value;
    if (length > shortText) return bytes.write(value, start, 'utf8');
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return bytes.write(value, start, 'utf8');
      bytes[start + index] = code;
    }
    return length;
  }

  #makeRoom(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#used + bytes));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
