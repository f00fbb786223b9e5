/** The text of a file: unpacked where it is gzip, and decoded to UTF-8. */
import { gunzipped, isGzip, startOfPacked } from '../gunzipped.ts';
import { firstBytes, sourceChunks } from '../source-file.ts';
import { chooseEncoding, createDecoder, type Encoding, markLength } from './encoding.ts';
import { refuseOtherKinds } from './plain-text.ts';
import { lineEnds, TextFault } from './text-fault.ts';

/** What a file is made of. */
export interface TextForm {
  readonly encoding: Encoding;
  /** How many bytes of a byte order mark come before UTF-8. */
  readonly mark: number;
  /** True for gzip; left out for a plain file. */
  readonly packed?: true;
}

/** Tells the form of a file from its first bytes, never from its name. */
export async function textForm(
  path: string,
  file: string,
  configured: Encoding | 'auto',
): Promise<TextForm> {
  const bytes = await firstBytes(path, file, 1024);
  const packed = isGzip(bytes);
  const start = packed ? startOfPacked(bytes) : bytes;
  refuseOtherKinds(start, file);
  const encoding = chooseEncoding(configured, start);
  return { encoding, mark: markLength(encoding, start), ...(packed ? { packed } : {}) };
}

export interface TextReading {
  readonly path: string;
  /** Its name, for people. */
  readonly file: string;
  readonly form: TextForm;
  readonly signal: AbortSignal;
  /** Gets every chunk of the file as it is; valid during the call. */
  readonly onBytes: (chunk: Buffer) => void;
}

/**
 * Gives the text chunk by chunk, each valid until the next one.
 *
 * @throws LockstepError `SourceUnreadable` naming the line, `SourceUnavailable`
 */
export async function* fileText(reading: TextReading): AsyncGenerator<Buffer> {
  try {
    yield* decoded(reading);
  } catch (error) {
    if (!(error instanceof TextFault)) throw error;
    // Lines are counted only now that one has to be told.
    let line = 1;
    try {
      for await (const text of decoded({ ...reading, onBytes: () => {} })) line += lineEnds(text);
    } catch (again) {
      if (again instanceof TextFault) throw again.errorIn(line);
      throw again;
    }
    throw error.errorIn(line);
  }
}

async function* decoded(reading: TextReading): AsyncGenerator<Buffer> {
  const { path, file, form, signal, onBytes } = reading;
  const decoder = createDecoder(form.encoding, file);
  const chunks = form.packed
    ? gunzipped(path, file, { signal, onPacked: onBytes })
    : sourceChunks(path, file, signal);
  for await (const chunk of chunks) {
    if (!form.packed) onBytes(chunk);
    yield decoder.push(chunk);
  }
  yield decoder.end();
}
