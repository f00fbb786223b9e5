/** CSV files as users have them: packed, still being written, written by spreadsheets, and what is no text at all. */
import { appendFile, stat, utimes, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FileSource } from '../../engine/source.ts';
import { CsvDrop } from './csv-export.ts';

/** What happens while an export waits; nothing takes any time. */
const pause = vi.hoisted(() => vi.fn<(milliseconds: number) => Promise<void> | undefined>());
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<object>()),
  setTimeout: pause,
}));

let drop: CsvDrop;
beforeEach(async () => {
  drop = await CsvDrop.open();
});
afterEach(() => drop[Symbol.asyncDispose]());

const people = 'id,name\n1,Zoé\n2,Łęcka\n';
const one: FileSource = { file: 'people.csv' };

describe('gzip, told by its content and not by its name (S2-03)', () => {
  test.each(['people.csv', 'people.csv.gz', 'people.txt'])('%s is unpacked', async (file) => {
    const { text, rows } = await drop.exported({ [file]: gzipSync(people) }, { file });
    expect([text, rows]).toEqual([people, 2]);
  });

  test('a plain file called .gz is read as it is', async () => {
    const file = 'people.csv.gz';
    expect((await drop.exported({ [file]: people }, { file })).text).toBe(people);
  });

  test('its encoding is told by the mark within', async () => {
    const packed = gzipSync(Buffer.from(`\uFEFF${people}`, 'utf16le'));
    expect((await drop.exported({ 'people.csv': packed }, one)).text).toBe(people);
  });

  test('of several members all are read, not only the first', async () => {
    const packed = Buffer.concat([gzipSync('id,name\n1,Zoé\n'), gzipSync('2,Łęcka\n')]);
    expect((await drop.exported({ 'people.csv': packed }, one)).text).toBe(people);
  });

  test('that is cut off is refused, not read as far as it goes', async () => {
    const many = `id\n${Array.from({ length: 50_000 }, (_, index) => index).join('\n')}\n`;
    const packed = gzipSync(many);
    expect(await drop.refused({ 'people.csv': packed.subarray(0, packed.length / 2) }, one)).toBe(
      'SourceUnreadable: people.csv is cut off: its gzip data ends too soon',
    );
    expect(await drop.refused({ 'people.csv': packed.subarray(0, -1) }, one)).toContain(
      'is cut off',
    );
  });

  test('that is damaged is refused', async () => {
    const packed = gzipSync(people);
    packed[packed.length - 6] = (packed[packed.length - 6] as number) ^ 1;
    expect(await drop.refused({ 'people.csv': packed }, one)).toBe(
      'SourceUnreadable: people.csv is damaged gzip',
    );
    expect(await drop.refused({ 'people.csv': Buffer.from([0x1f, 0x8b, 9, 9, 9]) }, one)).toContain(
      'is damaged gzip',
    );
  });

  test('that grows beyond all measure is refused without being unpacked to its end', async () => {
    const bomb = gzipSync(
      Buffer.concat([Buffer.from('id,name\n'), Buffer.alloc(17 << 20, '1,a\n')]),
    );
    let progress = 0;
    const message = await drop.refused({ 'people.csv': bomb }, one, {
      onProgress: () => progress++,
    });
    expect(message).toBe('SourceUnreadable: people.csv unpacks to more than 200 times its size');
  });

  test('that did not change is not unpacked again', async () => {
    const first = await drop.exported({ 'people.csv': gzipSync(people) }, one);
    const again = await drop.exported({}, one, { kept: first });
    const inodes = await Promise.all(
      [first, again].map(async ({ path }) => (await stat(path)).ino),
    );
    expect(inodes[0]).toBe(inodes[1]);
    expect(again.rows).toBe(2);
  });
});

describe('what is no text', () => {
  test.each<[string, string | Buffer, string]>([
    ['a NUL in a cell', 'id,name\n1,a\n2,b\u0000c\n', 'people.csv line 3: a NUL byte'],
    [
      'NULs at the end, where a disk was full',
      'id\n1\n\u0000\u0000',
      'people.csv line 3: a NUL byte',
    ],
    [
      'a workbook under another name',
      Buffer.from('PK\u0003\u0004xyz'),
      'is a ZIP archive or an XLSX workbook',
    ],
    ['an old workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'is an old Office document (.xls)'],
    ['a PDF document', '%PDF-1.7\n', 'is a PDF document'],
    ['a login page', '\n<!DOCTYPE html>\n<html><p>id</p></html>\n', 'is a web page'],
    ['an answer in JSON', '[ {"id": 1},\n{"id": 2} ]\n', 'is JSON'],
    ['an answer in XML', '<?xml version="1.0"?>\n<id>1</id>\n', 'is XML'],
    ['a workbook within gzip', gzipSync(Buffer.from('PK\u0003\u0004xyz')), 'is a ZIP archive'],
    ['gzip within gzip', gzipSync(gzipSync(people)), 'people.csv line 1'],
    ['100,000 columns', `${'a,'.repeat(99_999)}a\n1\n`, 'people.csv has 100000 columns'],
  ])('%s is refused', async (_, content, message) => {
    expect(await drop.refused({ 'people.csv': content }, one)).toContain(message);
  });

  test.each(['utf16le', 'utf16be'])(
    '%s without its mark is told as what it is',
    async (encoding) => {
      const bytes = Buffer.from(people, 'utf16le');
      if (encoding === 'utf16be') bytes.swap16();
      await writeFile(drop.path('people.csv'), bytes);
      await expect(drop.exported({}, one)).rejects.toMatchObject({
        code: 'SourceUnreadable',
        message: 'people.csv line 1: a NUL byte',
        hint: expect.stringContaining('UTF-16 without a byte order mark'),
      });
    },
  );

  test('a NUL in a late chunk has its line', async () => {
    const content = `id,name\n${'1,é\n'.repeat(300_000)}2,\u0000\n`;
    expect(await drop.refused({ 'people.csv': content }, one)).toContain('line 300002: a NUL byte');
  });
});

describe('habits of spreadsheets', () => {
  test('sep=; is no header: it tells the delimiter, and rows keep their lines', async () => {
    const { text, delimiter, rows } = await drop.exported(
      { 'people.csv': 'sep=;\r\nid;a,b\r\n1;x\r\n' },
      one,
    );
    expect([text, delimiter, rows]).toEqual(['\nid;a,b\r\n1;x\r\n', ';', 1]);
  });

  test('sep=; alone is a blank file', async () => {
    expect(await drop.refused({ 'people.csv': 'sep=;\n' }, one)).toBe(
      'SourceEmpty: people.csv is blank',
    );
  });

  test('blank lines above the header do not hide its delimiter', async () => {
    const { delimiter } = await drop.exported({ 'people.csv': '\n;;\n\nid;name\n1;x\n' }, one);
    expect(delimiter).toBe(';');
  });
});

describe('a file that is still being written', () => {
  const partial = 'id,name\n1,a\n2,b';
  const patient = { settings: { settle: undefined } };
  beforeEach(() => pause.mockReset());

  test('is waited for when its last line has no end, and read when it was left alone', async () => {
    const { rows } = await drop.exported({ 'people.csv': partial }, one, patient);
    expect(rows).toBe(2);
    expect(pause).toHaveBeenCalledOnce();
    const [milliseconds] = pause.mock.calls[0] ?? [];
    expect(milliseconds).toBeGreaterThan(0);
    expect(milliseconds).toBeLessThanOrEqual(2000);
  });

  test('is SourceUnavailable when it grows meanwhile, and is read when it is complete', async () => {
    pause.mockImplementationOnce(() => appendFile(drop.path('people.csv'), 'ob\n'));
    expect(await drop.refused({ 'people.csv': partial }, one, patient)).toBe(
      'SourceUnavailable: people.csv is still being written',
    );
    const { text } = await drop.exported({}, one, patient);
    expect(text).toBe('id,name\n1,a\n2,bob\n');
    expect(pause).toHaveBeenCalledOnce();
  });

  test('is not waited for when it was left alone before', async () => {
    const path = drop.path('people.csv');
    await writeFile(path, partial);
    await utimes(path, new Date(0), new Date(0));
    await drop.exported({}, one, patient);
    expect(pause).not.toHaveBeenCalled();
  });

  test.each(['utf8', 'utf16le'] as const)(
    'is not waited for when all of its lines have an end: %s',
    async (encoding) => {
      const content = Buffer.from(`\uFEFF${people}`, encoding);
      await drop.exported({ 'people.csv': content }, one, patient);
      expect(pause).not.toHaveBeenCalled();
    },
  );

  test('that is packed is waited for, too', async () => {
    await drop.exported({ 'people.csv': gzipSync(people) }, one, patient);
    expect(pause).toHaveBeenCalledOnce();
  });

  test('must rest as long as is configured, and no longer where a clock is ahead', async () => {
    const path = drop.path('people.csv');
    await writeFile(path, people);
    await utimes(path, new Date(4e12), new Date(4e12));
    pause.mockImplementationOnce(() => appendFile(path, '3,c\n'));
    const rest = { settings: { settle: 60 } };
    expect(await drop.refused({}, one, rest)).toContain('is still being written');
    expect(pause.mock.calls[0]?.[0]).toBe(60_000);
  });

  test('whatever seems wrong with it may be right when it is complete', async () => {
    const path = drop.path('people.csv');
    let written: Promise<void> | undefined;
    const onProgress = () => {
      written ??= appendFile(path, '"\n');
    };
    const content = `id,name\n${'1,"a\n'.repeat(3)}`;
    expect(await drop.refused({ 'people.csv': content }, one, { onProgress })).toBe(
      'SourceUnavailable: people.csv was written to while it was read',
    );
    await written;
  });
});
