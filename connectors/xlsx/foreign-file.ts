/** Tells a ZIP archive, which every workbook is, from what else is found under the name of one: by content, never by name. */
import { open } from 'node:fs/promises';
import { LockstepError } from '../../engine/errors.ts';
import { firstBytes } from '../source-file.ts';
import { unreadable } from './workbook-fault.ts';

/** @throws LockstepError `SourceUnreadable`, `SourceEmpty` for anything that does not begin as a ZIP archive does. */
export async function refuseForeign(path: string, source: string): Promise<void> {
  const start = await firstBytes(path, source, 4096);
  if (start.length === 0) throw new LockstepError('SourceEmpty', `${source} is blank`);
  const magic = start.toString('latin1', 0, 8);
  if (magic.startsWith('PK\x03\x04') || magic.startsWith('PK\x05\x06')) return;
  if (magic === '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1') throw await compoundFile(path, source, start);
  throw unreadable(source, `is no XLSX workbook: ${kindOf(start, magic)}`);
}

/** An OLE 2 compound file names its parts in a directory, and that is where its header says. */
async function compoundFile(path: string, source: string, start: Buffer): Promise<LockstepError> {
  const header = Buffer.alloc(512);
  start.copy(header);
  const sectorBytes = 2 ** Math.min(header.readUInt16LE(30), 12);
  const directory = Buffer.alloc(4096);
  await using handle = await open(path);
  await handle.read(directory, 0, directory.length, (header.readUInt32LE(48) + 1) * sectorBytes);
  const names = directory.toString('utf16le');
  if (names.includes('EncryptedPackage')) {
    return unreadable(
      source,
      'is encrypted: it opens with a password only',
      'Have it saved without a password, in a place that only the worker may read.',
    );
  }
  const what = /Workbook|Book/.test(names) ? 'an old .xls workbook' : 'an old Office file';
  return unreadable(source, `is no XLSX workbook: it is ${what} under another name`);
}

function kindOf(start: Buffer, magic: string): string {
  if (magic.startsWith('%PDF')) return 'it is a PDF file';
  if (magic.startsWith('\x1f\x8b')) return 'it is a gzip file';
  const text = start.toString('latin1').toLowerCase();
  if (/<(?:!doctype html|html|table)/.test(text)) return 'it is a web page under another name';
  if (text.includes('urn:schemas-microsoft-com:office:spreadsheet')) {
    return 'it is an “XML Spreadsheet 2003” file';
  }
  if (start.includes(0)) return 'it does not begin as one does';
  return 'it seems to be text. For delimited text, use a connector of kind csv';
}
