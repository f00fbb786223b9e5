/** Rows that are no rows: a header once more, the total below a table, too few cells or too many. */

/** Words with which a line of sums begins, in the languages of most spreadsheets. */
const totals =
  /^(?:(?:grand|sub)[ -]?)?(?:totals?|total g[ée]n[ée]ral|(?:gesamt)?summen?|gesamt|sommes?|totale|totaal)\s*:?\s*[\d.,  ]*$/i;

/** The letters that those words begin with, in lower case. */
const initials = new Set(Array.from('gst', (letter) => letter.charCodeAt(0)));

/**
 * Tells by the first cell of a row of the right width that it is one; where this is false, {@link shapeProblem} has to look.
 *
 * @param row UTF-8; its first cell, which may have white space around it, is from `start` to `end`
 * @param header trimmed headings
 */
export function isSurelyRow(
  row: Buffer,
  start: number,
  end: number,
  header: readonly string[],
): boolean {
  const initial = start === end ? 0 : (row[start] as number);
  const heading = header[0] ?? '';
  const isOther = !initials.has(initial | 0x20) && initial !== heading.charCodeAt(0);
  if (isOther && initial > 0x20 && initial < 0x7f) return true;
  const first = row.toString('utf8', start, end).trim();
  return first !== '' && first !== heading && !totals.test(first);
}

/**
 * Says what is wrong with the shape of a row, or undefined when it may be one.
 *
 * @param header trimmed headings
 */
export function shapeProblem(
  cells: readonly string[],
  header: readonly string[],
): string | undefined {
  if (cells.length !== header.length) return wrongWidth(cells, header.length);
  if (
    cells[0]?.trim() === header[0] &&
    cells.every((cell, index) => cell.trim() === header[index])
  ) {
    return 'repeats the header';
  }
  if (isTotal(cells))
    return 'looks like a line of totals: a word for it, and else nothing but numbers';
  return undefined;
}

function wrongWidth(cells: readonly string[], headings: number): string {
  const problem = `has ${cells.length} cells, the header has ${headings}`;
  const surplus = cells.slice(headings);
  return surplus.length > 0 && surplus.every((cell) => cell.trim() === '')
    ? `${problem}; what is too much is blank: if every row ends with a delimiter, the header must too`
    : problem;
}

/** Of one column nothing but the word would tell, and that may be a name; so may one that comes after a number. */
function isTotal(cells: readonly string[]): boolean {
  if (cells.length < 2) return false;
  let first = 0;
  while (first < cells.length && cells[first]?.trim() === '') first += 1;
  if (!totals.test(cells[first]?.trim() ?? '')) return false;
  return cells.slice(first + 1).every((cell) => /^(?:[-+]?[\d.,]+ ?%?)?$/.test(cell.trim()));
}
