// Holds how a table becomes the text of a CSV file.

/** A cell in quotes only where it must be, as a spreadsheet writes it. */
function cell(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The header and rows as lines that end in LF. */
export function csv(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}
