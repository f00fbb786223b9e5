// A stream that keeps what is written to it, as a pipe or as a terminal.

import { Writable } from 'node:stream';

/** What a command wrote. */
export interface CapturedStream {
  readonly stream: NodeJS.WriteStream;
  readonly text: () => string;
}

export function captured(terminal?: { columns: number }): CapturedStream {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  Object.assign(stream, terminal && { isTTY: true, ...terminal });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => chunks.join('') };
}
