/** Builds XLSX workbooks part by part, right and wrong ones, without any library that reads or writes them. */
import { crc32, deflateRawSync } from 'node:zlib';

const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packages = 'http://schemas.openxmlformats.org/package/2006';
/** The namespace of the edition that everybody writes. */
export const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';

/** Part name → content. */
export type Parts = Readonly<Record<string, string | Buffer>>;

/** What an archive says of an entry in place of the truth. */
export interface Lie {
  readonly uncompressedSize?: number;
  readonly crc32?: number;
  readonly encrypted?: boolean;
}

/** A ZIP archive of these parts, in this order; a name may stand there twice as `name` and `name\u0000`. */
export function zip(parts: Parts, lies: Readonly<Record<string, Lie>> = {}): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [given, content] of Object.entries(parts)) {
    const name = Buffer.from(given.replaceAll('\0', ''));
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes, { level: bytes.length > 1_000_000 ? 1 : 6 });
    const lie = lies[given] ?? {};
    const header = Buffer.alloc(26);
    header.writeUInt16LE(20, 0);
    header.writeUInt16LE(0x800 | (lie.encrypted ? 1 : 0), 2);
    header.writeUInt16LE(8, 4);
    header.writeUInt32LE(lie.crc32 ?? crc32(bytes), 10);
    header.writeUInt32LE(packed.length, 14);
    header.writeUInt32LE(lie.uncompressedSize ?? bytes.length, 18);
    header.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), header, name, packed]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), header, place, name);
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(Object.keys(parts).length, 8);
  end.writeUInt16LE(Object.keys(parts).length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** What a workbook of a test is made of; everything has a plain default. */
export interface WorkbookContent {
  /** Sheet name → what is in `sheetData`; or, when it begins with `<?xml`, the whole part. */
  readonly sheets?: Readonly<Record<string, string>>;
  /** Sheet name → `hidden`, `veryHidden`. */
  readonly states?: Readonly<Record<string, string>>;
  /** XML of each `si`. */
  readonly strings?: readonly string[];
  /** Format codes, or numbers of built-in formats: style 1 is the first. Style 0 is General. */
  readonly formats?: readonly (string | number)[];
  /** Attributes of `workbookPr` and `calcPr`. */
  readonly properties?: string;
  readonly calculation?: string;
  readonly namespace?: string;
  /** Parts that take the place of others, or come beside them. */
  readonly parts?: Parts;
}

/** The parts of a workbook. */
export function workbookParts({
  sheets = {},
  states = {},
  strings = [],
  formats = [],
  properties = '',
  calculation = '',
  namespace = main,
  parts = {},
}: WorkbookContent): Record<string, string | Buffer> {
  const relations =
    namespace === main ? office : 'http://purl.oclc.org/ooxml/officeDocument/relationships';
  const names = Object.keys(sheets);
  const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${relations}/${type}" Target="${target}"/>`;
  const relationships = (...each: string[]) =>
    `${head}<Relationships xmlns="${packages}/relationships">${each.join('')}</Relationships>`;
  const own = formats.filter((format) => typeof format === 'string');
  const idOf = (format: string | number) =>
    typeof format === 'number' ? format : 164 + own.indexOf(format);
  return {
    '[Content_Types].xml': `${head}<Types xmlns="${packages}/content-types"/>`,
    '_rels/.rels': relationships(relation('rId1', 'officeDocument', 'xl/workbook.xml')),
    'xl/workbook.xml': `${head}<workbook xmlns="${namespace}" xmlns:r="${relations}"><workbookPr ${properties}/><sheets>${names
      .map(
        (name, index) =>
          `<sheet name="${name}" sheetId="${index + 1}" ${states[name] ? `state="${states[name]}" ` : ''}r:id="sheet${index + 1}"/>`,
      )
      .join('')}</sheets><calcPr calcId="191029" ${calculation}/></workbook>`,
    'xl/_rels/workbook.xml.rels': relationships(
      ...names.map((_, index) =>
        relation(`sheet${index + 1}`, 'worksheet', `worksheets/sheet${index + 1}.xml`),
      ),
      relation('styles', 'styles', 'styles.xml'),
      relation('strings', 'sharedStrings', 'sharedStrings.xml'),
    ),
    'xl/styles.xml': `${head}<styleSheet xmlns="${namespace}"><numFmts>${own
      .map((code, index) => `<numFmt numFmtId="${164 + index}" formatCode="${escaped(code)}"/>`)
      .join(
        '',
      )}</numFmts><cellStyleXfs><xf numFmtId="14"/><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>${formats
      .map((format) => `<xf numFmtId="${idOf(format)}"/>`)
      .join(
        '',
      )}</cellXfs><dxfs><dxf><numFmt numFmtId="164" formatCode="0.0"/></dxf></dxfs></styleSheet>`,
    'xl/sharedStrings.xml': `${head}<sst xmlns="${namespace}" count="7" uniqueCount="7">${strings
      .map((each) => `<si>${each}</si>`)
      .join('')}</sst>`,
    ...Object.fromEntries(
      names.map((name, index) => {
        const data = sheets[name] as string;
        const part = data.startsWith('<?xml')
          ? data
          : `${head}<worksheet xmlns="${namespace}"><sheetData>${data}</sheetData></worksheet>`;
        return [`xl/worksheets/sheet${index + 1}.xml`, part];
      }),
    ),
    ...parts,
  };
}

/** A workbook as bytes. */
export function workbook(content: WorkbookContent): Buffer {
  return zip(workbookParts(content));
}

/** Rows of text as `sheetData`, from row 1 on; a blank text is no cell. */
export function textRows(rows: readonly (readonly string[])[]): string {
  return rows
    .map((cells, index) => {
      const written = cells.map((text, column) =>
        text === ''
          ? ''
          : `<c r="${columnName(column)}${index + 1}" t="inlineStr"><is><t xml:space="preserve">${escaped(text)}</t></is></c>`,
      );
      return `<row r="${index + 1}">${written.join('')}</row>`;
    })
    .join('');
}

/** A workbook of one sheet of text. */
export function textWorkbook(rows: readonly (readonly string[])[]): Buffer {
  return workbook({ sheets: { Sheet1: textRows(rows) } });
}

function columnName(column: number): string {
  return column < 26
    ? String.fromCharCode(65 + column)
    : columnName(Math.floor(column / 26) - 1) + columnName(column % 26);
}

function escaped(text: string): string {
  if (!/[&<>"]/.test(text)) return text;
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
