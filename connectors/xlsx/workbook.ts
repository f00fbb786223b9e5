/** What a workbook says of itself: its sheets, the formats and texts that their cells refer to, from which day it counts. */
import { posix } from 'node:path';
import { unescaped } from './cell-text.ts';
import { builtInKind, formatKind, type NumberKind } from './number-format.ts';
import type { DateSystem } from './serial-date.ts';
import { longestText, mostTextBytes, SharedStrings } from './shared-strings.ts';
import { unreadable } from './workbook-fault.ts';
import type { WorkbookPackage } from './workbook-package.ts';
import { readXml } from './xml-part.ts';

/** What it takes to read a sheet. */
export interface Workbook {
  /** Name of the part that the sheet is. */
  readonly sheetPart: string;
  readonly strings: SharedStrings;
  /** By number of a cell's style. */
  readonly kinds: readonly NumberKind[];
  readonly dateSystem: DateSystem;
  /** The workbook wants its formulas computed anew when it is opened: what it holds of them is not to be relied on. */
  readonly isStale: boolean;
}

interface Sheet {
  readonly name: string;
  readonly relation: string;
  readonly visible: boolean;
}

/**
 * Reads everything but the sheet.
 *
 * @param sheet its name; left out, the first sheet that is not hidden
 * @throws LockstepError `SourceUnreadable`
 */
export async function readWorkbook(
  parts: WorkbookPackage,
  sheet: string | undefined,
): Promise<Workbook> {
  const { source } = parts;
  const part = await workbookPart(parts);
  const { sheets, dateSystem, isStale } = await readContents(parts, part);
  const relations = await readRelations(parts, part);
  const target = (relation: string | undefined) =>
    [...relations.values()].find(({ type }) => type === relation)?.part;
  const worksheets = sheets.filter(({ relation }) => relations.get(relation)?.type === 'worksheet');
  const chosen =
    sheet === undefined
      ? (worksheets.find(({ visible }) => visible) ?? worksheets[0])
      : (worksheets.find(({ name }) => name === sheet) ??
        worksheets.find(({ name }) => name.toLowerCase() === sheet.toLowerCase()));
  if (chosen === undefined) {
    const names = worksheets.map(({ name }) => `“${name}”`).join(', ');
    throw unreadable(
      source,
      sheet === undefined ? 'has no sheet of cells' : `has no sheet of that name; it has ${names}`,
      'Name one of its sheets in the configuration, as in source: { file: …, sheet: … }.',
    );
  }
  const stylesPart = target('styles');
  const stringsPart = target('sharedStrings');
  return {
    sheetPart: relations.get(chosen.relation)?.part as string,
    kinds: stylesPart === undefined ? [] : await readKinds(parts, stylesPart),
    strings:
      stringsPart === undefined ? new SharedStrings() : await readStrings(parts, stringsPart),
    dateSystem,
    isStale,
  };
}

async function workbookPart(parts: WorkbookPackage): Promise<string> {
  const relations = parts.has('_rels/.rels') ? await readRelations(parts, '') : new Map();
  const part: string | undefined = [...relations.values()].find(
    ({ type }) => type === 'officeDocument',
  )?.part;
  if (part === undefined) {
    const what = parts.has('content.xml')
      ? 'an OpenDocument file under another name'
      : 'another kind of ZIP archive';
    throw unreadable(parts.source, `is no XLSX workbook: it is ${what}`);
  }
  if (part.endsWith('.bin')) {
    throw unreadable(parts.source, 'is no XLSX workbook: it is a binary one (.xlsb)');
  }
  return part;
}

interface Relation {
  /** The last word of its type, which is the same in both editions. */
  readonly type: string;
  readonly part: string;
}

/** What a part refers to, by id; of the package itself with an empty name. */
async function readRelations(parts: WorkbookPackage, part: string): Promise<Map<string, Relation>> {
  const folder = part === '' ? '' : posix.dirname(part);
  const relations = new Map<string, Relation>();
  await readXml(parts, posix.join(folder, '_rels', `${posix.basename(part)}.rels`), {
    open(path, attribute) {
      if (path.join('/') !== 'Relationships/Relationship') return;
      const target = attribute('Target');
      // What is outside of the workbook is never fetched.
      if (target === undefined || attribute('TargetMode') === 'External') return;
      relations.set(attribute('Id') ?? '', {
        type: posix.basename(attribute('Type') ?? ''),
        part: target.startsWith('/') ? target.slice(1) : posix.join(folder, target),
      });
    },
  });
  return relations;
}

async function readContents(parts: WorkbookPackage, part: string) {
  const sheets: Sheet[] = [];
  let dateSystem: DateSystem = 1900;
  let isStale = false;
  let root: string | undefined;
  await readXml(parts, part, {
    open(path, attribute) {
      root ??= path[0];
      switch (path.join('/')) {
        case 'workbook/workbookPr':
          if (isTrue(attribute('date1904'))) dateSystem = 1904;
          break;
        case 'workbook/calcPr':
          isStale = isTrue(attribute('fullCalcOnLoad'));
          break;
        case 'workbook/sheets/sheet':
          sheets.push({
            name: attribute('name') ?? '',
            relation: attribute('r:id') ?? '',
            visible: (attribute('state') ?? 'visible') === 'visible',
          });
      }
    },
  });
  if (root !== 'workbook') {
    throw unreadable(parts.source, 'is no XLSX workbook: it is another kind of Office file');
  }
  return { sheets, dateSystem: dateSystem as DateSystem, isStale };
}

function isTrue(text: string | undefined): boolean {
  return text === '1' || text === 'true';
}

async function readKinds(parts: WorkbookPackage, part: string): Promise<NumberKind[]> {
  const own = new Map<number, NumberKind>();
  const formats: number[] = [];
  await readXml(parts, part, {
    open(path, attribute) {
      const place = path.join('/');
      if (place === 'styleSheet/numFmts/numFmt') {
        own.set(Number(attribute('numFmtId')), formatKind(attribute('formatCode') ?? ''));
      } else if (place === 'styleSheet/cellXfs/xf') {
        formats.push(Number(attribute('numFmtId') ?? 0));
      }
    },
  });
  return formats.map((id) => own.get(id) ?? builtInKind(id));
}

async function readStrings(parts: WorkbookPackage, part: string): Promise<SharedStrings> {
  const strings = new SharedStrings();
  let text = '';
  await readXml(parts, part, {
    close(path, piece) {
      if (path[1] !== 'si') return;
      const name = path.at(-1);
      // A text, or runs of text with a look of their own; phonetic runs say the same again, for readers.
      if (name === 't' && (path.length === 3 || (path.length === 4 && path[2] === 'r'))) {
        text += piece;
        if (text.length > longestText)
          throw unreadable(parts.source, 'holds a text of more than a million characters');
      } else if (path.length === 2) {
        if (!strings.add(unescaped(text))) {
          throw unreadable(
            parts.source,
            `holds more than ${mostTextBytes / 1024 ** 2} MiB of different texts`,
            'Have it exported as CSV, which is read in any size.',
          );
        }
        text = '';
      }
    },
  });
  return strings;
}
