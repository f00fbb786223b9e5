/** The CSV connector: copies delimited text files into the extraction as UTF-8, byte by byte where they are UTF-8. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LockstepError } from '../../engine/errors.ts';
import { RecordScanner } from '../../engine/record-scanner.ts';
import type { Connector, ExportRequest, ExtractedFile } from '../connector.ts';
import { detectDelimiter } from './delimiter.ts';
import { chooseEncoding, createDecoder, type Encoding } from './encoding.ts';

/** How to read the files of a CSV connector. */
export interface CsvSettings {
  /** Absolute. */
  readonly directory: string;
  /** `auto` or one character. */
  readonly delimiter: string;
  readonly encoding: Encoding | 'auto';
}

/** A record longer than this is taken for a quote that never closes. */
const longestRecord = 16 * 1024 * 1024;

/** Creates a CSV connector. It reads everything at every export: a file says what there is, not what changed. */
export function createCsvConnector(settings: CsvSettings): Connector {
  return {
    async export(request) {
      const sizes = await Promise.all(
        request.sources.map((source) => fileSize(join(settings.directory, source), source)),
      );
      const total = sizes.reduce((sum, size) => sum + size, 0);
      let done = 0;
      const files: ExtractedFile[] = [];
      for (const source of request.sources) {
        const onBytes = (bytes: number) => {
          done += bytes;
          request.onProgress({ done, total, unit: 'bytes' });
        };
        files.push(await exportFile(settings, source, request, onBytes));
      }
      return files;
    },
  };
}

async function exportFile(
  settings: CsvSettings,
  source: string,
  { directory, signal }: ExportRequest,
  onBytes: (bytes: number) => void,
): Promise<ExtractedFile> {
  const path = join(settings.directory, source);
  const before = await identity(path, source);
  const encoding = chooseEncoding(settings.encoding, await firstBytes(path, source, 4));
  const decoder = createDecoder(encoding, source);
  // Whatever stands between folders, two sources are two files.
  const file = source.replaceAll(/[\\/%]/g, encodeURIComponent);
  const copy = new CountingCopy(join(directory, file), source, settings.delimiter);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18, signal })) {
      onBytes((chunk as Buffer).length);
      await copy.write(decoder.push(chunk as Buffer));
    }
    await copy.write(decoder.end());
  } catch (error) {
    copy.abandon();
    throw copy.failure ?? asReadError(error, source);
  }
  const counted = await copy.end();
  const after = await identity(path, source);
  if (after !== before) {
    throw new LockstepError('SourceUnavailable', `${source} was written to while it was read`, {
      hint: 'Have it written under another name and renamed when it is complete. The export is tried again.',
    });
  }
  return { source, file, ...counted };
}

/** Writes the extraction's file, and counts and digests what it writes. */
class CountingCopy {
  /** Why it cannot be written. */
  failure: Error | undefined;
  readonly #source: string;
  readonly #configuredDelimiter: string;
  readonly #stream;
  readonly #hash = createHash('sha256');
  #head: Buffer = Buffer.alloc(0);
  #scanner: RecordScanner | undefined;
  #delimiter = ',';
  #records = 0;
  #bytes = 0;

  constructor(path: string, source: string, delimiter: string) {
    this.#source = source;
    this.#configuredDelimiter = delimiter;
    this.#stream = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    // A disk that is full says so between two writes; without a listener it would end the process.
    this.#stream.on('error', (error) => {
      this.failure = error;
    });
  }

  /** Closes the file, whatever it holds. */
  abandon(): void {
    this.#stream.destroy();
  }

  async write(text: Buffer): Promise<void> {
    if (text.length === 0) return;
    if (this.#scanner === undefined) {
      this.#head = Buffer.concat([this.#head, text]);
      if (endOfHeader(this.#head) === -1 && this.#head.length < longestRecord) return;
      await this.#start(this.#head);
      return;
    }
    await this.#pass(text);
  }

  async end(): Promise<Pick<ExtractedFile, 'rows' | 'bytes' | 'sha256' | 'delimiter'>> {
    if (this.#scanner === undefined) await this.#start(this.#head);
    const openQuote = this.#scanner?.end();
    if (this.failure) throw this.failure;
    this.#stream.end();
    await once(this.#stream, 'close');
    if (this.failure) throw this.failure;
    if (openQuote !== undefined) throw neverCloses(this.#source, openQuote);
    if (this.#records < 2) {
      const what = this.#records === 0 ? 'is blank' : 'holds only its header';
      throw new LockstepError('SourceEmpty', `${this.#source} ${what}`);
    }
    return {
      rows: this.#records - 1,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      delimiter: this.#delimiter,
    };
  }

  async #start(head: Buffer): Promise<void> {
    const ends = [endOfHeader(head), head.indexOf(0x0a), head.length];
    const header = head
      .subarray(
        0,
        ends.find((end) => end !== -1),
      )
      .toString('utf8');
    if (/\r(?!\n|$)/.test(header)) {
      throw new LockstepError(
        'SourceUnreadable',
        `${this.#source} ends its lines with a carriage return alone`,
        {
          hint: 'Have it saved with LF or CRLF line ends.',
        },
      );
    }
    this.#delimiter =
      this.#configuredDelimiter === 'auto' ? detectDelimiter(header) : this.#configuredDelimiter;
    this.#scanner = new RecordScanner(this.#delimiter, () => {
      this.#records += 1;
    });
    await this.#pass(head);
  }

  async #pass(text: Buffer): Promise<void> {
    this.#scanner?.push(text);
    const unfinished = this.#scanner?.unfinished;
    if (unfinished && unfinished.bytes > longestRecord)
      throw tooLong(this.#source, unfinished.line);
    this.#hash.update(text);
    this.#bytes += text.length;
    if (this.failure) throw this.failure;
    if (!this.#stream.write(text)) await once(this.#stream, 'drain');
  }
}

/** Where the first line ends that does not end within quotes; -1 when there is none. */
function endOfHeader(head: Buffer): number {
  let quoted = false;
  for (const [at, byte] of head.entries()) {
    if (byte === 0x22) quoted = !quoted;
    else if (byte === 0x0a && !quoted) return at;
  }
  return -1;
}

function tooLong(source: string, line: number): LockstepError {
  return new LockstepError(
    'SourceUnreadable',
    `${source} line ${line}: the row that begins here is longer than ${longestRecord >> 20} MiB`,
    { hint: 'Look for a quote that never closes there, or for a file that is no delimited text.' },
  );
}

function neverCloses(source: string, line: number): LockstepError {
  return new LockstepError(
    'SourceUnreadable',
    `${source} line ${line}: a quote opens here that never closes`,
  );
}

async function fileSize(path: string, source: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw asReadError(error, source);
  }
}

/** What tells that a file is still the same: its place, size and time of change. */
async function identity(path: string, source: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    throw asReadError(error, source);
  }
}

async function firstBytes(path: string, source: string, count: number): Promise<Buffer> {
  try {
    await using handle = await open(path);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw asReadError(error, source);
  }
}

const readErrors: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by the worker',
  EPERM: 'may not be read by the worker',
  EISDIR: 'is a directory',
  ENOTDIR: 'is not in a directory',
};

function asReadError(error: unknown, source: string): unknown {
  const reason = readErrors[(error as NodeJS.ErrnoException).code ?? ''];
  return reason === undefined
    ? error
    : new LockstepError('SourceUnavailable', `${source} ${reason}`, { cause: error });
}
