/** SQL for where a line of an extraction's file comes from; see `sourcePlace` of the engine. */
import pg from 'pg';
import type { SourcePart } from '../engine/source-part.ts';
import type { ScopeComparison } from './plan.ts';

type Lines = Pick<ScopeComparison, 'file' | 'parts'>;

/** The name of the file of a line. */
export function fileOf({ file, parts }: Lines, line: string): string {
  return byPart(parts, line, (part) => text(part.file)) ?? text(file);
}

/** The number of a line within its file. */
export function lineOf({ parts }: Lines, line: string): string {
  return byPart(parts, line, (part) => numberIn(part, line)) ?? line;
}

/** A line as a message names it: with its file, where the source is made of several. */
export function placeText({ parts }: Lines, line: string): string {
  const several = parts && parts.length > 1;
  const place = (part: SourcePart) =>
    several
      ? `(${numberIn(part, line)})::text || ${text(` of ${part.file}`)}`
      : numberIn(part, line);
  return `(${byPart(parts, line, place) ?? line})::text`;
}

function byPart(
  parts: readonly SourcePart[] | undefined,
  line: string,
  value: (part: SourcePart) => string,
): string | undefined {
  const branches = parts
    ?.toReversed()
    .map((part) => `when ${line} >= ${part.firstLine} then ${value(part)}`);
  return branches && branches.length > 0 ? `(case ${branches.join(' ')} end)` : undefined;
}

function numberIn({ firstLine, line: first }: SourcePart, line: string): string {
  return `${line} - ${firstLine} + ${first}`;
}

function text(value: string): string {
  return `${pg.escapeLiteral(value)}::text`;
}
