/** What a stream can show: colours, a width, or neither when it is a pipe. */
import pc from 'picocolors';

type Colors = ReturnType<typeof pc.createColors>;

/** The looks of a stream. */
export interface Terminal {
  /** A person looks at it; false for pipes and files, which get plain text. */
  readonly isInteractive: boolean;
  readonly width: number;
  /** Do nothing where colours are not wanted. */
  readonly colors: Colors;
}

interface Stream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Colours need a terminal, and neither `NO_COLOR` nor `TERM=dumb`. */
export function terminalOf(stream: Stream, environment: NodeJS.ProcessEnv): Terminal {
  const isInteractive = stream.isTTY === true;
  const isColourful = isInteractive && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
  return {
    isInteractive,
    width: isInteractive ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY,
    colors: pc.createColors(isColourful),
  };
}

/** A pipe: no colours, any width. */
export const plainTerminal: Terminal = terminalOf({}, {});

/** Text of a source without its control characters, which could otherwise command the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '�');
}
