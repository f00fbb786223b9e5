/** Streams rows into and out of PostgreSQL by COPY. */
import { once } from 'node:events';
import type { PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

/** Takes rows in COPY's text format; `write` waits while PostgreSQL is behind, so memory stays bounded. */
export interface RowSink {
  write(rows: Uint8Array): Promise<void>;
  /** Ends the COPY; the session can be used for other statements again. */
  end(): Promise<void>;
  /** Gives the COPY up, so that the session can roll back; without it, that would wait for ever. */
  abandon(): Promise<void>;
}

/** Opens a COPY into a table. Until it ended the session can do nothing else. */
export function openRowSink(session: PoolClient, target: string): RowSink {
  const stream = session.query(copyFrom(`copy ${target} from stdin`));
  let failure: Error | undefined;
  stream.on('error', (error: Error) => {
    failure = error;
  });
  return {
    async write(rows) {
      if (failure) throw failure;
      if (!stream.write(rows)) await once(stream, 'drain');
    },
    async end() {
      if (failure) throw failure;
      stream.end();
      await once(stream, 'finish');
    },
    async abandon() {
      if (failure || stream.closed) return;
      const closed = new Promise((resolve) => stream.once('close', resolve));
      stream.destroy();
      await closed;
    },
  };
}

/** Escapes a value for COPY's text format; null is `\N`. */
export function copyText(value: string | number | null): string {
  if (value === null) return '\\N';
  const text = String(value);
  return /[\\\t\n\r]/.test(text)
    ? text.replace(/[\\\t\n\r]/g, (character) => escapes[character] as string)
    : text;
}

const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/**
 * Reads the digests a query selects as its only column; `onDigest` gets null for a row without one.
 *
 * The words are valid only during the call.
 */
export async function readDigests(
  session: PoolClient,
  query: string,
  onDigest: (words: Uint32Array | null) => void,
): Promise<void> {
  const words = new Uint32Array(4);
  let carry: Buffer = Buffer.alloc(0);
  // Signature (11 bytes), flags (4) and the length of the header's extension (4), which is empty.
  let skip = 19;
  for await (const chunk of session.query(copyTo(`copy (${query}) to stdout (format binary)`))) {
    const bytes: Buffer = carry.length === 0 ? chunk : Buffer.concat([carry, chunk as Buffer]);
    if (bytes.length < skip) {
      carry = bytes;
      continue;
    }
    let at = skip;
    skip = 0;
    // Each tuple: number of fields (2 bytes), length of the field (4, -1 for null), 16 bytes of uuid.
    while (at + 6 <= bytes.length && bytes.readInt16BE(at) === 1) {
      if (bytes.readInt32BE(at + 2) === -1) {
        onDigest(null);
        at += 6;
        continue;
      }
      if (at + 22 > bytes.length) break;
      for (let index = 0; index < 4; index++) words[index] = bytes.readUInt32BE(at + 6 + index * 4);
      onDigest(words);
      at += 22;
    }
    carry = bytes.subarray(at);
  }
}
