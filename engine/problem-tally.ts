/** Counts rows that cannot be used, or are worth a look, by their reason, and remembers the lines of the first ones. */
import type { DataProblem, DataProblemCode } from './check-fact.ts';
import type { SourcePlace } from './source-part.ts';

/** So many lines are enough to go and look. */
const linesKept = 5;

interface Counted {
  readonly code: DataProblemCode;
  readonly column: string | null;
  rows: number;
  readonly lines: number[];
}

/** Bounded: one entry for each code and column. */
export class ProblemTally {
  readonly #counted = new Map<string, Counted>();

  add(code: DataProblemCode, column: string | null, line: number): void {
    const name = JSON.stringify([code, column]);
    const counted = this.#counted.get(name) ?? { code, column, rows: 0, lines: [] };
    counted.rows += 1;
    counted.lines.push(line);
    // Lines may come in any order: references are judged when their targets are known.
    if (counted.lines.length > linesKept) {
      counted.lines.sort((a, b) => a - b).pop();
    }
    this.#counted.set(name, counted);
  }

  /**
   * What was counted of one source, in the order of the lines where it first came.
   *
   * @param placeOf where a line of the extraction comes from
   */
  problems(scope: string, source: string, placeOf: (line: number) => SourcePlace): DataProblem[] {
    return [...this.#counted.values()]
      .map(({ lines, ...counted }) => ({ ...counted, lines: lines.toSorted((a, b) => a - b) }))
      .sort((a, b) => (a.lines[0] ?? 0) - (b.lines[0] ?? 0))
      .map(({ lines, ...counted }) => ({
        fact: 'data-problem',
        scope,
        source,
        ...counted,
        places: lines.map(placeOf),
      }));
  }
}
