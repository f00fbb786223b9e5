/** Refuses what is no text: NUL bytes, and files of other kinds under a name that ends in csv. */
import { LockstepError } from '../../engine/errors.ts';
import { lineEnds, TextFault } from './text-fault.ts';

/** How files of other kinds begin. */
const otherKinds: readonly (readonly [string, string])[] = [
  ['504b0304', 'a ZIP archive or an XLSX workbook'],
  ['d0cf11e0', 'an old Office document (.xls)'],
  ['25504446', 'a PDF document'],
  ['28b52ffd', 'compressed with zstd'],
  ['fd377a58', 'compressed with xz'],
  ['425a6839', 'compressed with bzip2'],
  ['377abcaf', 'a 7z archive'],
  ['53514c69', 'an SQLite database'],
];

/** Text that is no delimited text: what a server sends instead of a file, for one. */
const otherTexts: readonly (readonly [RegExp, string])[] = [
  [/^\s*<(?:!doctype\s+html|html|head|body)\b/i, 'a web page, such as a login or an error'],
  [/^\s*<\?xml\b/i, 'XML'],
  [/^\s*(?:\[\s*)?\{\s*"/, 'JSON'],
];

/** @throws LockstepError `SourceUnreadable` when the first bytes of a file, some hundred, are those of something else */
export function refuseOtherKinds(start: Buffer, file: string): void {
  const text = start.toString('latin1');
  const kind =
    otherKinds.find(([bytes]) => start.subarray(0, 4).toString('hex') === bytes)?.[1] ??
    otherTexts.find(([beginning]) => beginning.test(text))?.[1];
  if (kind === undefined) return;
  throw new LockstepError('SourceUnreadable', `${file} is ${kind}, not delimited text`, {
    hint: 'Have it exported as CSV: what a file is called does not change what it is. Only gzip is unpacked.',
  });
}

/** @throws TextFault when there is a NUL among the bytes, which tells where it may come from */
export function refuseNul(bytes: Buffer, file: string): void {
  const at = bytes.indexOf(0);
  if (at === -1) return;
  const hint = looksLikeUtf16(bytes.subarray(Math.max(0, at - 1), at + 63))
    ? 'Every other byte is NUL: it is UTF-16 without a byte order mark. Set “encoding” of the connector to utf-16le (or utf-16be).'
    : 'Text has none. At the end of a file they are what a full disk or a machine that stopped leaves. Have it exported again.';
  throw new TextFault(
    lineEnds(bytes.subarray(0, at)),
    (line) => new LockstepError('SourceUnreadable', `${file} line ${line}: a NUL byte`, { hint }),
  );
}

function looksLikeUtf16(bytes: Buffer): boolean {
  const nuls = [...bytes.entries()].filter(([, byte]) => byte === 0);
  const even = nuls.filter(([index]) => index % 2 === 0).length;
  return bytes.length >= 4 && nuls.length > bytes.length / 3 && even % nuls.length === 0;
}
