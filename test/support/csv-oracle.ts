/** A second, naive reading of docs/configuration.md: what the bytes of a CSV file justify, character by character. */

/** What becomes of a row: a resource, or a reject of this code. */
export type Outcome =
  | { readonly key: string; readonly attributes: Readonly<Record<string, unknown>> }
  | { readonly code: string; readonly cells: readonly string[] };

export type Reading =
  /** Why nothing of the file can be believed. */
  | { readonly refused: 'notText' | 'openQuote' | 'empty' | 'carriageReturn' | 'header' }
  /** By line. */
  | { readonly rows: ReadonlyMap<number, Outcome> };

interface OracleRecord {
  readonly line: number;
  readonly raw: string;
  /** A cell is undefined when a quote or carriage return stands in it where none may. */
  readonly cells: readonly (string | undefined)[];
}

const mapped = ['id', 'name', 'pay'];

/** Reads a file of the columns id, name and pay (a number), in any order. */
export function readByTheBook(bytes: Buffer, delimiter: string): Reading {
  const text = decoded(bytes);
  const otherKinds = ['PK\u0003\u0004', '%PDF', 'BZh9', 'SQLi'];
  if (
    text === undefined ||
    text.includes('\0') ||
    otherKinds.some((each) => text.startsWith(each))
  ) {
    return { refused: 'notText' };
  }
  const records = recordsOf(text, delimiter);
  if (records === undefined) return { refused: 'openQuote' };
  if (/^"?sep=.?"?$/i.test(records[0]?.raw ?? '')) records.shift();
  const header = records.shift();
  if (header === undefined || records.length === 0) return { refused: 'empty' };
  if (/\r(?!\n)/.test(header.raw)) return { refused: 'carriageReturn' };
  const names = header.cells.map((cell) => cell?.trim());
  const once = mapped.every((name) => names.filter((each) => each === name).length === 1);
  if (!once || names.includes(undefined)) return { refused: 'header' };
  return { rows: new Map(records.map((each) => [each.line, outcomeOf(each, names, delimiter)])) };
}

function decoded(bytes: Buffer): string | undefined {
  const mark = bytes.subarray(0, 2).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Undefined when a quote never closes. Records of blank cells are none. */
function recordsOf(text: string, delimiter: string): OracleRecord[] | undefined {
  const records: OracleRecord[] = [];
  let line = 1;
  for (let start = 0; start < text.length; ) {
    const cells: (string | undefined)[] = [];
    let end = start - 1;
    do {
      const cell = cellAt(text, end + 1, delimiter);
      if (cell === undefined) return undefined;
      cells.push(cell.value);
      end = cell.end;
    } while (text[end] === delimiter);
    const raw = text.slice(start, end).replace(/\r$/, '');
    const blank = [...raw].every((each) => each === delimiter || ' \t"\r'.includes(each));
    if (!blank) records.push({ line, raw, cells });
    line += text.slice(start, end + 1).split('\n').length - 1;
    start = end + 1;
  }
  return records;
}

function cellAt(text: string, start: number, delimiter: string) {
  const quoted = text[start] === '"';
  let value = '';
  let at = start;
  if (quoted) {
    at += 1;
    while (text[at] !== '"' || text[at + 1] === '"') {
      if (at >= text.length) return undefined;
      value += text[at];
      at += text[at] === '"' ? 2 : 1;
    }
    at += 1;
  }
  let end = at;
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n') end += 1;
  const rest = text.slice(at, end);
  const bare = text[end] === delimiter ? rest : rest.replace(/\r+$/, '');
  if (quoted) return { value: bare === '' ? value : undefined, end };
  return { value: /["\r]/.test(bare) ? undefined : bare, end };
}

function outcomeOf(
  { cells, raw }: OracleRecord,
  names: readonly (string | undefined)[],
  delimiter: string,
): Outcome {
  const texts = cells.map((cell) => cell?.trim() ?? '');
  const rejected = (code: string) => ({ code, cells: [...texts, ...raw.split(delimiter)] });
  if (cells.includes(undefined) || cells.length !== names.length) return rejected('RowMalformed');
  if (texts.every((text, index) => text === names[index])) return rejected('RowMalformed');
  const [word = '', ...others] = texts.filter((text) => text !== '');
  if (
    /^(?:(?:grand|sub)[ -]?)?totals?\s*:?\s*[\d., ]*$/i.test(word) &&
    others.every((text) => /^[-+]?[\d.,]+ ?%?$/.test(text))
  ) {
    return rejected('RowMalformed');
  }
  const [id = '', name = '', pay = ''] = mapped.map((each) => texts[names.indexOf(each)]);
  if (id === '') return rejected('KeyMissing');
  const tooMany = pay.replace(/^[-+]?[0.]*/, '').replace('.', '').length > 15;
  if (pay !== '' && (!/^[-+]?\d+(?:\.\d+)?$/.test(pay) || tooMany)) return rejected('ValueInvalid');
  const unseen =
    /[\p{Cc}\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u061c\u180e\ufff9-\ufffb]/u;
  if (unseen.test(id) || /^[“”„«‹].*[”“»›]$/s.test(id)) return rejected('ValueInvalid');
  const attributes = {
    id,
    ...(name === '' ? {} : { name }),
    ...(pay === '' ? {} : { pay: Number(pay) + 0 }),
  };
  return { key: id, attributes };
}
