/** Which of several files is the newest: by the date in its name where all have one, else by when it was modified. */
import { LockstepError } from '../engine/errors.ts';

/** A file as a directory lists it. */
export interface ListedFile {
  /** Relative to the connector's directory. */
  readonly file: string;
  /** Milliseconds. */
  readonly modified: number;
}

/** 2026-11-22, 2026_11_22, 2026.11.22 or 20261122; then perhaps 4 or 6 digits: a time of day, or a number. */
const dates =
  /(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?:[T_ -]?(\d{2})[-_.:]?(\d{2})(?:[-_.:]?(\d{2}))?)?(?!\d)/g;

/** The dates in a name as text that sorts by time; undefined when there is none. */
export function dateInName(name: string): string | undefined {
  const found = [...name.matchAll(dates)].flatMap(([, year, , month, day, ...time]) =>
    isDay(Number(year), Number(month), Number(day))
      ? [`${year}${month}${day}${time.join('')}`]
      : [],
  );
  return found.length === 0 ? undefined : found.join(' ');
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return year >= 1900 && year < 2200 && date.getUTCMonth() === month - 1 && day > 0;
}

/**
 * Finds the newest of some files, at least one.
 *
 * A date in the name says what a file is about, and it survives copying; when it was modified does not. Files of the same
 * date are told apart by when they were modified.
 *
 * @throws LockstepError `SourceAmbiguous` rather than guess: a wrong guess is yesterday's people
 */
export function newestFile<File extends ListedFile>(pattern: string, files: readonly File[]): File {
  const dated = files.map((each) => {
    const { file, modified } = each;
    return { each, file, modified, date: dateInName(file.slice(file.lastIndexOf('/') + 1)) };
  });
  const undated = dated.filter(({ date }) => date === undefined);
  if (undated.length > 0 && undated.length < dated.length) {
    const example = dated.find(({ date }) => date !== undefined)?.file;
    throw new LockstepError(
      'SourceAmbiguous',
      `${pattern}: ${example} has a date in its name and ${undated[0]?.file} has none, so which is newer cannot be told`,
    );
  }
  const [first, second] = dated.toSorted(
    (a, b) => compare(b.date ?? '', a.date ?? '') || b.modified - a.modified,
  );
  if (second && first?.date === second.date && first?.modified === second.modified) {
    throw new LockstepError(
      'SourceAmbiguous',
      `${pattern}: ${[first?.file, second.file].toSorted().join(' and ')} are equally new`,
    );
  }
  return first?.each as File;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
