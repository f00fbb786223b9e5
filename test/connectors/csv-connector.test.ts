/** The CSV connector on real files: encodings, quoting, line ends, and what it refuses with which line. */
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import iconv from 'iconv-lite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCsvConnector } from '../../connectors/csv/csv-connector.ts';
import type { CsvSettings } from '../../connectors/csv/source-export.ts';
import { exportError, exportInto, fileSource, testConformance } from './conformance.ts';
import { openCsvSystem } from './csv-export.ts';

testConformance('csv', openCsvSystem);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-csv-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

type Options = Partial<CsvSettings>;

/** Files need not rest: most of them have just been written. */
function connector(options: Options = {}) {
  const usual: CsvSettings = { directory, delimiter: 'auto', encoding: 'auto', settle: 0 };
  return createCsvConnector({ ...usual, ...options });
}

/** Exports one file of this content: what was written, and what was told of it. */
async function exported(content: string | Buffer, options: Options = {}) {
  await writeFile(join(directory, 'people.csv'), content);
  let result = { text: '', rows: -1, delimiter: '' };
  await exportInto(connector(options), ['people.csv'], async (target, [file]) => {
    if (!file) throw new Error('nothing was exported');
    const text = await readFile(join(target, file.file), 'utf8');
    result = { text, rows: file.rows, delimiter: file.delimiter };
  });
  return result;
}

async function refused(content: string | Buffer, options: Options = {}) {
  await writeFile(join(directory, 'people.csv'), content);
  const { code, message } = await exportError(connector(options), ['people.csv']);
  return `${code}: ${message}`;
}

const people = 'id,name\n1,Zoé\n2,Łęcka 😀\n';

describe('encodings', () => {
  test.each<[string, Buffer, Options]>([
    ['UTF-8', Buffer.from(people), {}],
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${people}`), {}],
    ['UTF-16 LE by its mark', iconv.encode(people, 'utf-16le', { addBOM: true }), {}],
    ['UTF-16 BE by its mark', iconv.encode(people, 'utf-16be', { addBOM: true }), {}],
    ['UTF-16 LE when configured', iconv.encode(people, 'utf-16le'), { encoding: 'utf-16le' }],
    ['UTF-16 BE when configured', iconv.encode(people, 'utf-16be'), { encoding: 'utf-16be' }],
  ])('%s', async (_, bytes, options) => {
    expect(await exported(bytes, options)).toMatchObject({ text: people, rows: 2 });
  });

  test.each(['windows-1252', 'iso-8859-1', 'iso-8859-15'] as const)(
    '%s when configured',
    async (encoding) => {
      const text = `id,name\n1,Zoé ${encoding === 'iso-8859-1' ? '¤' : '€'} œuvre`.replace(
        encoding === 'iso-8859-1' ? 'œ' : '',
        encoding === 'iso-8859-1' ? 'oe' : '',
      );
      expect(await exported(iconv.encode(text, encoding), { encoding })).toMatchObject({ text });
    },
  );

  test('bytes that are not UTF-8 are refused with their line, and the hint names the usual encoding', async () => {
    const latin = iconv.encode('id,name\n1,"two\nlines"\n2,Zoé\n', 'windows-1252');
    expect(await refused(latin)).toBe(
      'SourceUnreadable: people.csv line 4: bytes that are not UTF-8',
    );
  });

  test.each<[string, Buffer, number]>([
    ['a sequence that breaks off at the end', Buffer.from([0x61, 0x0a, 0x62, 0xc3]), 2],
    ['an overlong sequence', Buffer.from([0x61, 0x0a, 0xc0, 0xaf, 0x0a]), 2],
    ['half a surrogate pair', Buffer.from([0x61, 0x0a, 0x0a, 0xed, 0xa0, 0x80, 0x0a]), 3],
    ['a continuation without a start', Buffer.from([0x80]), 1],
  ])('UTF-8 with %s is refused', async (_, bytes, line) => {
    expect(await refused(bytes)).toContain(`line ${line}: bytes that are not UTF-8`);
  });

  test('windows-1252 bytes that mean nothing are refused with their line', async () => {
    const bytes = Buffer.concat([Buffer.from('id\n1\n2'), Buffer.from([0x81]), Buffer.from('\n')]);
    expect(await refused(bytes, { encoding: 'windows-1252' })).toContain(
      'line 3: bytes that are not windows-1252',
    );
  });

  test.each(['utf-16le', 'utf-16be'] as const)(
    'half a character of %s is refused',
    async (encoding) => {
      const half = iconv.encode('id\n1\n', encoding);
      const lone = encoding === 'utf-16le' ? [0x00, 0xd8] : [0xd8, 0x00];
      const bytes = Buffer.concat([half, Buffer.from(lone), iconv.encode('x\n', encoding)]);
      expect(await refused(bytes, { encoding })).toContain(
        `line 3: bytes that are not ${encoding}`,
      );
      expect(await refused(bytes.subarray(0, half.length + 2), { encoding })).toContain('line 3');
    },
  );

  test.each(['utf-16le', 'utf-16be'] as const)(
    '%s that was cut off within a unit is refused, not read without it',
    async (encoding) => {
      const bytes = iconv.encode('id\n1\n23', encoding).subarray(0, -1);
      expect(await refused(bytes, { encoding })).toContain(
        `line 3: bytes that are not ${encoding}`,
      );
    },
  );

  test.each(['utf-8', 'utf-16le', 'utf-16be'] as const)(
    '%s has its characters wherever a chunk of the file ends',
    async (encoding) => {
      // An odd number of bytes before four-byte characters, over several chunks of any usual size.
      const text = `id,name\n${'1,x😀é😀\n'.repeat(120_000)}`;
      const { text: written, rows } = await exported(iconv.encode(text, encoding), { encoding });
      expect(rows).toBe(120_000);
      expect(written === text).toBe(true);
    },
  );

  test('a wrong byte in a late chunk is refused with its line', async () => {
    const bytes = Buffer.from(`id,name\n${'1,é\n'.repeat(400_000)}`);
    bytes[bytes.length - 2] = 0xff;
    expect(await refused(bytes)).toContain('line 400001: bytes that are not UTF-8');
  });
});

describe('the delimiter', () => {
  test.each([
    ['id,name', ','],
    ['id;name', ';'],
    ['id\tname', '\t'],
    ['id|name', '|'],
    ['id', ','],
    ['"id, or, so";name', ';'],
    ['"a ""quoted"", heading";b,c;d', ';'],
    ['"two\nlines, and, commas";b', ';'],
    ['id;name, first;mail', ';'],
  ])('of %j is found: %j', async (header, delimiter) => {
    expect(await exported(`${header}\n1\n`)).toMatchObject({ delimiter, rows: 1 });
  });

  test('that is configured is believed', async () => {
    expect(await exported('a,b,c;d\n1\n', { delimiter: ';' })).toMatchObject({ delimiter: ';' });
  });
});

describe('records', () => {
  test.each([
    ['quoted newlines are part of one row', 'id,name\n1,"a\nb"\n2,"c\r\nd"\n', 2],
    ['CRLF ends a row', 'id,name\r\n1,a\r\n2,b\r\n', 2],
    ['the last row needs no line end', 'id,name\n1,a\n2,b', 2],
    ['blank lines are no rows', 'id,name\n\n1,a\n\r\n   \n2,b\n\n\n', 2],
    ['rows of blank cells are no rows', 'id,name\n,\n1,a\n"", "" \n , \n2,b\n', 2],
    ['blank lines before the header are passed over', '\n\nid,name\n1,a\n', 1],
    ['a ragged row is a row, for the mapping to reject', 'id,name\n1\n1,2,3\n', 2],
    ['a heading may be quoted and hold a line break', '"id\nof it",name\n1,a\n', 1],
    ['a stray quote in a heading does not swallow the file', 'id,na"me\r\n1,a\r\n2,b\r\n', 2],
  ])('%s', async (_, content, rows) => {
    const { text, rows: counted } = await exported(content);
    expect(counted).toBe(rows);
    expect(text).toBe(content);
  });

  test('a cell of 5 MiB is a cell', async () => {
    const content = `id,name\n1,"${'x\n'.repeat(2.5 * 1024 * 1024)}"\n2,b\n`;
    expect((await exported(content)).rows).toBe(2);
  });

  test('a quote that never closes is refused with the line on which it opens', async () => {
    expect(await refused('id,name\n1,"a\nb"\n2,"c\n3,d\n')).toBe(
      'SourceUnreadable: people.csv line 4: a quote opens here that never closes',
    );
  });

  test('a quote that does not close within 16 MiB is refused without reading on', async () => {
    const content = `id,name\n1,"${'x'.repeat(18 * 1024 * 1024)}`;
    expect(await refused(content)).toContain(
      'line 2: the row that begins here is longer than 16 MiB',
    );
  });

  test('lines that end with a carriage return alone are refused', async () => {
    expect(await refused('id,name\r1,a\r2,b\r')).toBe(
      'SourceUnreadable: people.csv ends its lines with a carriage return alone',
    );
  });

  test.each([
    ['no byte', ''],
    ['a byte order mark alone', '\uFEFF'],
    ['white space', ' \n\t\r\n  \n'],
    ['delimiters alone', ',,,\n,,,\n'],
  ])('a file of %s is SourceEmpty', async (_, content) => {
    expect(await refused(content)).toBe('SourceEmpty: people.csv is blank');
  });

  test.each(['id,name', 'id,name\n', 'id,name\r\n\r\n', 'id,name\n,\n'])(
    'a header without a row is SourceEmpty: %j',
    async (content) => {
      expect(await refused(content)).toBe('SourceEmpty: people.csv holds only its header');
    },
  );
});

describe('files', () => {
  test('one that is written to while it is read is SourceUnavailable', async () => {
    const path = join(directory, 'people.csv');
    await writeFile(path, people.repeat(100));
    let written: Promise<void> | undefined;
    const reading = exportInto(connector(), ['people.csv'], async () => {}, {
      onProgress: () => {
        written ??= appendFile(path, '3,late\n');
      },
    });
    await expect(reading).rejects.toMatchObject({
      code: 'SourceUnavailable',
      message: 'people.csv was written to while it was read',
    });
    await written;
  });

  test('a directory in place of a file is SourceUnavailable', async () => {
    await mkdir(join(directory, 'people.csv'));
    const { code, message } = await exportError(connector(), ['people.csv']);
    expect([code, message]).toEqual(['SourceUnavailable', 'people.csv is a directory']);
  });

  test('a directory that does not exist is SourceUnavailable', async () => {
    const { code } = await exportError(connector({ directory: join(directory, 'no') }), ['a.csv']);
    expect(code).toBe('SourceUnavailable');
  });

  test('one that may not be read is SourceUnavailable', async () => {
    const path = join(directory, 'people.csv');
    await writeFile(path, people);
    await chmod(path, 0);
    await chmod(directory, 0o755);
    const target = await mkdtemp(join(tmpdir(), 'lockstep-extraction-'));
    const asRoot = process.geteuid?.() === 0;
    // Root may read everything.
    if (asRoot) process.seteuid?.(65_534);
    try {
      const signal = new AbortController().signal;
      const request = {
        mode: 'complete',
        kept: [],
        sources: [fileSource('people.csv')],
        directory: target,
        signal,
      } as const;
      await expect(connector().export({ ...request, onProgress: () => {} })).rejects.toMatchObject({
        code: 'SourceUnavailable',
        message: 'people.csv may not be read by the worker',
      });
    } finally {
      if (asRoot) process.seteuid?.(0);
      await rm(target, { recursive: true, force: true });
    }
  });

  test('two sources whose paths differ in a slash only are two files', async () => {
    const sources = ['a/b.csv', 'a_b.csv', 'a%2Fb.csv'];
    for (const [index, source] of sources.entries()) {
      await mkdir(dirname(join(directory, source)), { recursive: true });
      await writeFile(join(directory, source), `id\n${index}\n`);
    }
    await exportInto(connector(), sources, async (target, files) => {
      const texts = await Promise.all(
        files.map(({ file }) => readFile(join(target, file), 'utf8')),
      );
      expect(texts).toEqual(['id\n0\n', 'id\n1\n', 'id\n2\n']);
    });
  });

  test('a place that cannot be written fails the export and not the process', async () => {
    await writeFile(join(directory, 'people.csv'), people);
    const sources = [fileSource('people.csv')];
    const request = { mode: 'complete', sources, kept: [], onProgress: () => {} } as const;
    const signal = new AbortController().signal;
    const nowhere = join(directory, 'not', 'there');
    await expect(connector().export({ ...request, signal, directory: nowhere })).rejects.toThrow(
      /ENOENT/,
    );
  });
});
