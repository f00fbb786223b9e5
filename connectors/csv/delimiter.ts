/** Which character separates the cells of a file whose configuration does not say. */

const candidates = [',', ';', '\t', '|'] as const;

/** The candidate that stands most often in the header outside quotes; a comma when none does. */
export function detectDelimiter(header: string): string {
  const unquoted = header.replaceAll(/"(?:[^"]|"")*"/g, '');
  const counts = candidates.map((candidate) => unquoted.split(candidate).length - 1);
  return candidates[counts.indexOf(Math.max(...counts))] ?? ',';
}
