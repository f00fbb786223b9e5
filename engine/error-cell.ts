/** An error cell of a workbook (`#N/A`, `#REF!`) as an extraction holds it, told apart from text that says the same. */

/**
 * U+001A, the control character "substitute", which by its definition stands where something is in error. A connector
 * lets no text cell begin with it, so that text saying `#N/A` stays text.
 */
const mark = '\u001a';

/** What a connector writes for a cell whose formula ended in this error. */
export function errorCell(error: string): string {
  return `${mark}${error}`;
}

/** The error that a cell of an extraction stands for, as `#N/A`; undefined when the cell is text. */
export function errorOf(cell: string): string | undefined {
  return cell.charCodeAt(0) === 0x1a && /^.#[A-Z0-9/_]+[!?]?$/.test(cell)
    ? cell.slice(1)
    : undefined;
}
