/** Where a line of an extraction's file comes from, when it was made of one or several files of other names. */

/** A file of a connected system whose lines are in a file of an extraction, one by one. */
export interface SourcePart {
  /** Its name, as people know it. */
  readonly file: string;
  /** The first line of the extraction's file that is from it, counted from 1. */
  readonly firstLine: number;
  /** Which line of it that is. */
  readonly line: number;
}

/** A line of a file of the connected system. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
}

/**
 * The place in the connected system that a line of an extraction's file stands for.
 *
 * @param source name of the source, which is the file's where there are no parts
 * @param parts in order of their first lines
 */
export function sourcePlace(
  source: string,
  parts: readonly SourcePart[] | undefined,
  line: number,
): SourcePlace {
  const part = parts?.findLast(({ firstLine }) => firstLine <= line);
  return part
    ? { file: part.file, line: line - part.firstLine + part.line }
    : { file: source, line };
}
