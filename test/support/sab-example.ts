/** The SAB example in a bench: its configuration, its days, and days that were tampered with. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import type { ConfigurationDocument } from '../../config/document.ts';
import { parseRecords } from '../../connectors/record-parser.ts';

const example = path.resolve(import.meta.dirname, '../../examples/sab');

/** The example's configuration with its connector in a directory of the bench. */
export async function sabConfiguration(
  thresholds: Readonly<Record<string, number | 'unlimited'>> = {},
): Promise<ConfigurationDocument> {
  const document = parse(await readFile(path.join(example, 'lockstep.yaml'), 'utf8'));
  const { sab } = document.connectors;
  return { ...document, connectors: { sab: { ...sab, directory: './sab', thresholds } } };
}

/** File name → content of one day. */
export async function sabDay(day: string): Promise<Record<string, string>> {
  const names = await readdir(path.join(example, day));
  const contents = names.map((name) => readFile(path.join(example, day, name), 'utf8'));
  return Object.fromEntries((await Promise.all(contents)).map((text, at) => [names[at], text]));
}

/** One row, by heading. */
export type Row = Record<string, string>;

/** The rows of one file of a day. */
export function rowsOf(day: Readonly<Record<string, string>>, file: string): Row[] {
  const [header, ...records] = parseRecords(day[file] as string, ',') as [string[], ...string[][]];
  return records.map((cells) =>
    Object.fromEntries(header.map((heading, at) => [heading, cells[at] as string])),
  );
}

/** A day with one file rewritten, rows first and headings then. */
export function tampered(
  day: Readonly<Record<string, string>>,
  file: string,
  rows: (rows: Row[]) => readonly Row[],
  headings: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const after = rows(rowsOf(day, file));
  const names = Object.keys(after[0] ?? {});
  const lines = [
    names.map((name) => headings[name] ?? name),
    ...after.map((row) => names.map((name) => row[name] ?? '')),
  ];
  const text = lines.map((cells) =>
    cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','),
  );
  return { ...day, [file]: `${text.join('\n')}\n` };
}
