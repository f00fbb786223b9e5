/** What the number format of a cell makes of its number: only that tells a date from a number in a workbook. */

/** `date` shows days, `time` a time of day, `datetime` both. Elapsed time (`[h]:mm`) is a number. */
export type NumberKind = 'number' | 'date' | 'time' | 'datetime';

/**
 * The built-in formats that are dates or times (ECMA-376 part 1, section 18.8.30), those of East Asian editions too:
 * they have no code in the file.
 */
export function builtInKind(id: number): NumberKind {
  if (id === 22) return 'datetime';
  if ((id >= 18 && id <= 21) || id === 32 || id === 33 || id === 45 || id === 47) return 'time';
  const isDate = (id >= 14 && id <= 17) || (id >= 27 && id <= 36) || (id >= 50 && id <= 58);
  return isDate ? 'date' : 'number';
}

/** Reads a format code, as `[$-409]d/m/yy h:mm;@`. Its first section decides, as it does for what is above zero. */
export function formatKind(code: string): NumberKind {
  const bare = code
    // Literal text, characters that are escaped, stand for their width or fill the cell.
    .replaceAll(/"[^"]*"?|[\\_*]./g, ' ')
    .replace(/;.*$/s, '');
  if (/\[(?:h+|m+|s+)\]/i.test(bare)) return 'number';
  const symbols = bare
    // Colours, conditions, currencies and languages.
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/general|e[+-]/gi, '');
  const time = /[hs]|am\/pm|a\/p/i.test(symbols);
  // A single m or mm is minutes beside hours or seconds. e, g and b are years of Japanese and Thai calendars.
  const date = /[ydegb]|mmm/i.test(symbols) || (!time && /m/i.test(symbols));
  if (date) return time ? 'datetime' : 'date';
  return time ? 'time' : 'number';
}
