/** What the XLSX connector refuses by content: other files under the name, damage, and archives and XML made to exhaust. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createXlsxConnector } from '../../connectors/xlsx/xlsx-connector.ts';
import { main, textRows, workbook, workbookParts, zip } from '../support/workbook.ts';
import { exportedSheet, refusal, sheetError } from './sheet-export.ts';

const people = textRows([
  ['id', 'name'],
  ['1', 'Zoé'],
]);
const sheetPart = 'xl/worksheets/sheet1.xml';
const staff = () => workbookParts({ sheets: { Staff: people } });

/** An OLE 2 compound file with entries of these names in its directory. */
function compoundFile(...names: string[]): Buffer {
  const bytes = Buffer.alloc(512 * 4);
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(bytes);
  bytes.writeUInt16LE(9, 30);
  bytes.writeUInt32LE(1, 48);
  for (const [at, name] of names.entries()) bytes.write(name, 1024 + at * 128, 'utf16le');
  return bytes;
}

describe('other files under the name of a workbook', () => {
  test.each<[string, Buffer, RegExp]>([
    ['an old .xls', compoundFile('Root Entry', 'Workbook'), /an old \.xls workbook under another/],
    ['an older one', compoundFile('Root Entry', 'Book'), /an old \.xls workbook/],
    ['an old .doc', compoundFile('Root Entry', 'WordDocument'), /an old Office file/],
    [
      'an encrypted workbook',
      compoundFile('Root Entry', 'EncryptionInfo', 'EncryptedPackage'),
      /is encrypted: it opens with a password only/,
    ],
    ['the beginning of one', compoundFile('Workbook').subarray(0, 40), /another name|old/],
    ['CSV', Buffer.from('id,name\n1,Zoé\n'), /it seems to be text.*kind csv/],
    ['a web page', Buffer.from('<html><table><tr><td>id'), /a web page/],
    [
      'XML Spreadsheet 2003',
      Buffer.from(
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
      ),
      /XML Spreadsheet 2003/,
    ],
    ['PDF', Buffer.from('%PDF-1.7\n'), /a PDF file/],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), /a gzip file/],
    ['bytes', Buffer.from([1, 0, 2, 0]), /does not begin as one does/],
    ['a ZIP of something', zip({ 'people.csv': 'id,name\n1,Zoé\n' }), /another kind of ZIP/],
    ['a ZIP of nothing', zip({}), /another kind of ZIP/],
    [
      'an OpenDocument sheet',
      zip({ mimetype: 'application/vnd.oasis.opendocument.spreadsheet', 'content.xml': '<a/>' }),
      /an OpenDocument file/,
    ],
    [
      'a binary workbook',
      zip({ ...staff(), '_rels/.rels': String(staff()['_rels/.rels']).replace('.xml"', '.bin"') }),
      /a binary one \(\.xlsb\)/,
    ],
    [
      'a document of Word',
      zip({ ...staff(), 'xl/workbook.xml': '<w:document xmlns:w="urn:w"><w:body/></w:document>' }),
      /another kind of Office file/,
    ],
  ])('%s', async (_, bytes, what) => {
    const { code, message, hint } = await sheetError(bytes);
    expect(code).toBe('SourceUnreadable');
    expect(message).toMatch(what);
    expect(hint).toMatch(/saved? |CSV/);
  });

  test('a file of no byte is SourceEmpty', async () => {
    expect(await refusal(Buffer.alloc(0))).toBe('SourceEmpty: people.xlsx is blank');
  });

  test('a directory of that name is SourceUnavailable', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lockstep-xlsx-'));
    const source = { name: 'd', options: { file: '.' } };
    const request = { mode: 'complete', sources: [source], kept: [], directory } as const;
    const exported = createXlsxConnector({ directory }).export({
      ...request,
      onProgress: () => {},
      signal: new AbortController().signal,
    });
    await expect(exported).rejects.toMatchObject({ code: 'SourceUnavailable' });
    await rm(directory, { recursive: true });
  });
});

describe('damage', () => {
  test('a workbook cut off anywhere is refused: an uploaded part has a beginning like the whole', async () => {
    const bytes = workbook({ sheets: { Staff: people } });
    for (let length = 4; length < bytes.length; length += 37) {
      expect(await refusal(bytes.subarray(0, length))).toMatch(/^SourceUnreadable/);
    }
  });

  test('a sheet whose checksum is another is refused at its end: one flipped bit may be a letter', async () => {
    const bytes = zip(staff(), { [sheetPart]: { crc32: 7 } });
    expect(await refusal(bytes)).toMatch(/is damaged, or not all of it is there/);
  });

  test.each<[string, Record<string, string | Buffer>, RegExp]>([
    ['without its sheet', { [sheetPart]: '' }, /sheet1\.xml that is not well-formed/],
    ['with a sheet that ends early', { [sheetPart]: '<worksheet><sheetData>' }, /not well-formed/],
    [
      'with a tag that does not close',
      { [sheetPart]: `<worksheet xmlns="${main}"><a></b>` },
      /well-formed/,
    ],
    [
      'with an unknown entity',
      { [sheetPart]: `<worksheet xmlns="${main}">&name;</worksheet>` },
      /well-formed/,
    ],
    [
      'with bytes that are not UTF-8',
      { [sheetPart]: Buffer.from('<a>\xff</a>', 'latin1') },
      /bytes that mean nothing/,
    ],
    [
      'in an encoding of its own',
      { [sheetPart]: '<?xml version="1.0" encoding="windows-1252"?><a/>' },
      /another encoding/,
    ],
    ['with a part twice', { [`${sheetPart}\0`]: '<a/>' }, /two parts named xl\/worksheets/],
    [
      'with a part twice in other capitals',
      { 'XL/workbook.xml': '<a/>' },
      /two parts named xl\/workbook/,
    ],
  ])('a workbook %s is refused', async (_, parts, what) => {
    expect(await refusal(zip({ ...staff(), ...parts }))).toMatch(what);
  });

  test('a workbook that lacks a part is refused by the name of the part', async () => {
    const { [sheetPart]: _, ...parts } = staff();
    expect(await refusal(zip(parts))).toMatch(/lacks its part xl\/worksheets\/sheet1\.xml/);
  });

  test('a part that is encrypted in the archive is refused', async () => {
    const bytes = zip(staff(), { [sheetPart]: { encrypted: true } });
    expect(await refusal(bytes)).toMatch(/^SourceUnreadable/);
  });

  test('what is outside of the workbook is never fetched', async () => {
    const parts = staff();
    const relations = 'xl/_rels/workbook.xml.rels';
    const outside = String(parts[relations]).replace(
      'Target="worksheets/sheet1.xml"',
      'Target="http://127.0.0.1:9/sheet1.xml" TargetMode="External"',
    );
    expect(await refusal(zip({ ...parts, [relations]: outside }))).toMatch(/has no sheet of cells/);
    const above = String(parts[relations]).replace('worksheets/', '../../../etc/');
    expect(await refusal(zip({ ...parts, [relations]: above }))).toMatch(/lacks its part/);
  });
});

describe('made to exhaust', () => {
  test('a sheet that unpacks to more than 200 times its size is refused before a byte of it is', async () => {
    const bytes = zip({ ...staff(), [sheetPart]: Buffer.alloc(80 * 1024 * 1024, 0x20) });
    expect(bytes.length).toBeLessThan(400_000);
    const { message, hint } = await sheetError(bytes);
    expect(message).toMatch(/would unpack to 81 MiB, more than a workbook of its size can hold/);
    expect(hint).toMatch(/empty rows/);
  });

  test('one that says to be small unpacks no further than it says', async () => {
    const bytes = zip(
      { ...staff(), [sheetPart]: Buffer.alloc(80 * 1024 * 1024, 0x20) },
      { [sheetPart]: { uncompressedSize: 1000 } },
    );
    expect(await refusal(bytes)).toMatch(/is damaged/);
  });

  test('an archive that says to unpack to more than 4 GiB is refused', async () => {
    const noise = Array.from({ length: 40 }, (_, at) => `<!-- ${Math.sin(at)} -->`).join('');
    const bytes = zip(
      { ...staff(), [sheetPart]: `<worksheet xmlns="${main}">${noise}${people}</worksheet>` },
      { [sheetPart]: { uncompressedSize: 0xfffffff0 } },
    );
    expect(await refusal(bytes)).toMatch(/would unpack to 4097 MiB/);
  });

  test('20,000 styled rows, which compress well, are no bomb', async () => {
    const rows = Array.from({ length: 20_000 }, (_, at) => `<row r="${at + 3}" s="1"/>`).join('');
    const { file } = await exportedSheet({ sheets: { Staff: people + rows } });
    expect(file.rows).toBe(1);
  });

  test.each([
    ['that grow', '<!DOCTYPE a [<!ENTITY b "0123456789"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'],
    ['that name files', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'],
    ['that are nowhere', '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">'],
  ])('entities %s are refused with the document type that declares them', async (_, type) => {
    const sheet = `<?xml version="1.0"?>${type}<worksheet xmlns="${main}"><sheetData>${people}</sheetData></worksheet>`;
    expect(await refusal({ sheets: { Staff: sheet } })).toMatch(/has a document type/);
  });

  test.each<[string, string, RegExp]>([
    ['elements nested without end', '<a>'.repeat(100_000), /nested without end/],
    ['a tag without end', `<a b="${'x'.repeat(9_000_000)}">`, /without end/],
    ['a comment without end', `<!--${'x'.repeat(9_000_000)}`, /without end/],
    ['a text without end', `<sheetData><row><c><v>${'1'.repeat(9_000_000)}</v>`, /without end/],
    [
      'a text without end in pieces',
      `<sheetData><row><c t="str"><v>${`${'x'.repeat(9999)}<!---->`.repeat(900)}</v>`,
      /without end/,
    ],
  ])('%s', async (_, xml, what) => {
    // Something to compress less well by, so that it is the XML that is refused.
    const noise = Array.from({ length: 3000 }, (__, at) => `<b a="${Math.sin(at)}"/>`).join('');
    const bytes = zip({ ...staff(), [sheetPart]: `<worksheet xmlns="${main}">${noise}${xml}` });
    expect(await refusal(bytes)).toMatch(what);
  });

  test('a cell of more than a million characters, and a shared one', async () => {
    const long = 'x'.repeat(1_100_000);
    const cell = `<row r="3"><c r="A3" t="str"><v>${long}</v></c></row>`;
    expect(await refusal({ sheets: { Staff: people + cell } })).toMatch(
      /cell A3: the row is longer/,
    );
    const runs = `<r><t>${'x'.repeat(1000)}</t></r>`.repeat(1100);
    const inline = `<row r="3"><c r="A3" t="inlineStr"><is>${runs}</is></c></row>`;
    expect(await refusal({ sheets: { Staff: people + inline } })).toMatch(/cell A3/);
    expect(await refusal({ sheets: { Staff: people }, strings: [runs] })).toMatch(
      /more than a million characters/,
    );
  });

  test('a row whose cells are long together: one shared text in each of 16,384 cells', async () => {
    const wide = Array.from({ length: 16_384 }, (_, at) => `<c t="str"><v>h${at}</v></c>`).join('');
    const row = '<c t="s"><v>0</v></c>'.repeat(16_384);
    const content = {
      sheets: { Staff: `<row>${wide}</row><row>${row}</row>` },
      strings: [`<t>${'x'.repeat(30_000)}</t>`],
    };
    expect(await refusal(content)).toMatch(/row is longer up to this cell/);
  });
});
