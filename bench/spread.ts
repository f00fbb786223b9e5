/** Measured numbers as a line of a Markdown table: how many, the least, the middle, the slow end, the slowest. */

/** Header of the tables whose lines `spreadLine` writes. */
export const spreadHeader = ['| what | n | min | p50 | p95 | max |', '|---|--:|--:|--:|--:|--:|'];

/** One line; numbers as they were measured, rounded. */
export function spreadLine(what: string, measured: readonly number[]): string {
  const sorted = measured.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  const cells = [sorted[0] ?? Number.NaN, at(0.5), at(0.95), at(1)].map(Math.round);
  return `| ${[what, sorted.length, ...cells].join(' | ')} |`;
}
