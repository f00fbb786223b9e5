/** Streams rows into PostgreSQL by COPY in its binary format, which spares both sides the way through text. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/** Takes whole rows as a `RowWriter` makes them; `write` waits while PostgreSQL is behind, so memory stays bounded. */
export interface RowSink {
  /** Takes the bytes over: they are given back to the system once they are sent, so nobody may look at them again. */
  write(rows: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Ends the COPY; the session can be used for other statements again. */
  end(): Promise<void>;
  /** Gives the COPY up, so that the session can roll back; without it, that would wait for ever. */
  abandon(): Promise<void>;
}

/** Fewer bytes than that are the collector's. */
const worthGivingBack = 1 << 16;

/** True when nothing that was written to the connection is waiting, or on its way to the system. */
function isSent(session: PoolClient): boolean {
  const { stream } = (
    session as PoolClient & { readonly connection: { readonly stream: Writable } }
  ).connection;
  return stream.writableLength === 0;
}

/** Signature, flags and the length of the header's extension (PostgreSQL's documentation of COPY, "Binary Format"). */
const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const trailer = Buffer.from([0xff, 0xff]);

/**
 * Opens a COPY into columns of a table. Until it ended the session can do nothing else.
 *
 * @param target `table (column, …)`: the columns in the order in which rows hold them
 * @param freeze spares the next readers a look at every row; only for a table that the same transaction has made
 */
export function openRowSink(
  session: PoolClient,
  target: string,
  { freeze }: { freeze: boolean } = { freeze: false },
): RowSink {
  const options = `format binary, freeze ${freeze}`;
  const stream = session.query(copyFrom(`copy ${target} from stdin (${options})`));
  let failure: Error | undefined;
  stream.on('error', (error: Error) => {
    failure = error;
  });
  stream.write(header);
  return {
    async write(rows) {
      if (failure) throw failure;
      const { byteLength } = rows;
      if (!stream.write(rows)) await once(stream, 'drain');
      // Left to the collector, what is sent would make it go through the whole heap every 20 MB.
      if (byteLength >= worthGivingBack && isSent(session)) rows.buffer.transfer(0);
    },
    async end() {
      if (failure) throw failure;
      stream.end(trailer);
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
