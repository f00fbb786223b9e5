/** Several files that match one pattern: read as one source, or the newest of them alone. */
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileSource } from '../../engine/source.ts';
import { sourcePlace } from '../../engine/source-part.ts';
import { CsvDrop, type Exported, type Files } from './csv-export.ts';

let drop: CsvDrop;
beforeEach(async () => {
  drop = await CsvDrop.open();
});
afterEach(() => drop[Symbol.asyncDispose]());

const all: FileSource = { file: 'people-*.csv', pick: 'all' };

describe('several files as one source', () => {
  /** Where each row is, as rejects would say. */
  const places = ({ text, parts }: Exported) =>
    text.split('\n').flatMap((row, index) => {
      if (row.trim() === '' || index === 0) return [];
      const { file, line } = sourcePlace('?', parts, index + 1);
      return [`${file}:${line} ${row}`];
    });

  test('have all their rows, columns by name, each with its file and line', async () => {
    const result = await drop.exported(
      {
        'people-a.csv': 'id,name\n1,Ann\n\n2,Bob',
        'people-b.csv': '\uFEFFname,id\r\n"Smith, Cyd",3\r\n\r\nDan,4\r\n',
        'people-c.csv': '\n\nid,name\n5,Eve\n',
        'people-d.csv.part': 'id,name\n6,Fay\n',
      },
      all,
    );
    expect(places(result)).toEqual([
      'people-a.csv:2 1,Ann',
      'people-a.csv:4 2,Bob',
      'people-b.csv:2 3,"Smith, Cyd"',
      'people-b.csv:4 4,Dan',
      'people-c.csv:4 5,Eve',
    ]);
    expect([result.rows, result.source]).toEqual([5, 'people-*.csv']);
  });

  test('keep lines apart where cells hold line breaks, and in other encodings', async () => {
    const result = await drop.exported(
      {
        'people-a.csv': 'id,name\n1,"two\nlines"\n2,b\n',
        'people-b.csv': Buffer.from('\uFEFFname,id\n"three\nmore\nlines",3\nd,4\n', 'utf16le'),
        'people-c.csv': gzipSync('sep=,\nid,name\n5,e\n'),
      },
      all,
    );
    expect(sourcePlace('?', result.parts, 4)).toEqual({ file: 'people-a.csv', line: 4 });
    const rows = places(result);
    expect(rows).toContain('people-b.csv:5 4,d');
    expect(rows.at(-1)).toBe('people-c.csv:3 5,e');
  });

  test('leave a row that is not whole for the mapping to reject, with its own text', async () => {
    const result = await drop.exported(
      { 'people-a.csv': 'id,name\n1,a\n', 'people-b.csv': 'name,id\nb\nx"y,3\nc,4,5\nd,6\n' },
      all,
    );
    expect(places(result).slice(1)).toEqual([
      'people-b.csv:2 b',
      'people-b.csv:3 x"y,3',
      'people-b.csv:4 c,4,5',
      'people-b.csv:5 6,d',
    ]);
  });

  test.each<[string, Files, string]>([
    [
      'of other columns are refused by name',
      { 'people-a.csv': 'id,name\n1,a\n', 'people-b.csv': 'id,nom\n2,b\n' },
      'SourceUnreadable: people-b.csv has not the columns of people-a.csv; it lacks “name”; only it has “nom”',
    ],
    [
      'with a column more are refused',
      { 'people-a.csv': 'id\n1\n', 'people-b.csv': 'id,x\n2,b\n' },
      'SourceUnreadable: people-b.csv has not the columns of people-a.csv; only it has “x”',
    ],
    [
      'with another delimiter are refused',
      { 'people-a.csv': 'id,name\n1,a\n', 'people-b.csv': 'id;name\n2;b\n' },
      'SourceUnreadable: people-b.csv has not the columns of people-a.csv; it lacks “id”, “name”; only it has “id;name”',
    ],
    [
      'of which one is blank are refused: its people did not leave',
      { 'people-a.csv': 'id\n1\n', 'people-b.csv': '' },
      'SourceEmpty: people-b.csv is blank',
    ],
    [
      'of which the first holds only its header are refused',
      { 'people-a.csv': 'id\n', 'people-b.csv': 'id\n1\n' },
      'SourceEmpty: people-a.csv holds only its header',
    ],
    [
      'of which one holds only its header are refused',
      { 'people-a.csv': 'id\n1\n', 'people-b.csv': 'id\n' },
      'SourceEmpty: people-b.csv holds only its header',
    ],
    [
      'of which the first ends within quotes are refused, not read across their border',
      { 'people-a.csv': 'id\n1\n"2\n', 'people-b.csv': 'id\n"3"\n' },
      'SourceUnreadable: people-a.csv line 3: a quote opens here that never closes',
    ],
    [
      'of which one ends within quotes are refused',
      { 'people-a.csv': 'id\n1\n', 'people-b.csv': 'id\n2\n"3\n' },
      'SourceUnreadable: people-b.csv line 3: a quote opens here that never closes',
    ],
    [
      'of which one is no text are refused by its name',
      { 'people-a.csv': 'id\n1\n', 'people-b.csv': 'id\n\u0000\n' },
      'SourceUnreadable: people-b.csv line 2: a NUL byte',
    ],
  ])('%s', async (_, files, message) => {
    expect(await drop.refused(files, all)).toBe(message);
  });
});

test('the newest file is known by its own name in messages, and by its pattern from day to day', async () => {
  const newest: FileSource = { file: 'people-*.csv', pick: 'newest' };
  const { source, parts, file } = await drop.exported(
    { 'people-20261121.csv': 'id\n1\n', 'people-20261122.csv': 'id\n1\n2\n' },
    newest,
  );
  expect([source, file]).toEqual(['people-*.csv', 'people-%2A.csv']);
  expect(parts).toEqual([{ file: 'people-20261122.csv', firstLine: 1, line: 1 }]);
  expect(await drop.refused({ 'people-20261123.csv': '' }, newest)).toBe(
    'SourceEmpty: people-20261123.csv is blank',
  );
});
