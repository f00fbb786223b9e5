/** Which character separates the cells of a file whose configuration does not say. */

const candidates = [',', ';', '\t', '|'] as const;

/** The candidate that stands most often in the header outside quotes; a comma when none does. */
export function detectDelimiter(header: string): string {
  const unquoted = header.replaceAll(/"(?:[^"]|"")*"/g, '');
  const counts = candidates.map((candidate) => unquoted.split(candidate).length - 1);
  return candidates[counts.indexOf(Math.max(...counts))] ?? ',';
}

/** True for the line by which spreadsheets tell one another the delimiter: `sep=;`. It is no header. */
export function isSeparatorLine(line: string): boolean {
  return /^"?sep=.?"?\r?$/i.test(line);
}

/** The delimiter of such a line, if it is one that is understood. */
export function separatorOf(line: string): string | undefined {
  return candidates.find((candidate) => line.toLowerCase().includes(`sep=${candidate}`));
}
