/** The CSV connector: copies delimited text files into the extraction as UTF-8, byte by byte where they are UTF-8. */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import type { FileSource, Source } from '../../engine/source.ts';
import type { Connector, ExportRequest, ExtractedFile } from '../connector.ts';
import { linkUnchanged, originDigest } from '../kept-file.ts';
import {
  extractedName,
  fileSize,
  firstBytes,
  readUndisturbed,
  sourceChunks,
} from '../source-file.ts';
import { CountingCopy } from './counting-copy.ts';
import { chooseEncoding, createDecoder, type Encoding, markLength } from './encoding.ts';

/** How to read the files of a CSV connector. */
export interface CsvSettings {
  /** Absolute. */
  readonly directory: string;
  /** `auto` or one character. */
  readonly delimiter: string;
  readonly encoding: Encoding | 'auto';
}

/** Creates a CSV connector. It reads everything at every export: a file says what there is, not what changed. */
export function createCsvConnector(settings: CsvSettings): Connector {
  return {
    async export(request) {
      const sources = request.sources as readonly Source<FileSource>[];
      const sizes = await Promise.all(
        sources.map(({ name, options }) => fileSize(join(settings.directory, options.file), name)),
      );
      const total = sizes.reduce((sum, size) => sum + size, 0);
      let done = 0;
      const files: ExtractedFile[] = [];
      for (const source of sources) {
        const onBytes = (bytes: number) => {
          done += bytes;
          request.onProgress({ done, total, unit: 'bytes' });
        };
        files.push(await exportFile(settings, source, request, onBytes));
      }
      return files;
    },
  };
}

async function exportFile(
  settings: CsvSettings,
  { name: source, options }: Source<FileSource>,
  request: ExportRequest,
  onBytes: (bytes: number) => void,
): Promise<ExtractedFile> {
  const { directory, signal } = request;
  const path = join(settings.directory, options.file);
  return await readUndisturbed(path, source, async () => {
    const start = await firstBytes(path, source, 4);
    const encoding = chooseEncoding(settings.encoding, start);
    const reading = { encoding, delimiter: settings.delimiter, mark: markLength(encoding, start) };
    const target = join(directory, extractedName(source));
    const kept = request.kept.find(({ file }) => file.source === source);
    const unchanged = await linkUnchanged({
      path,
      target,
      kept,
      start: reading.mark,
      originOf: (sha256) => originOf(sha256, reading),
      signal,
      onBytes,
    });
    return unchanged ?? (await copyFile({ path, target, source, reading, signal, onBytes }));
  });
}

/** How the bytes of a file are read. */
interface Reading {
  readonly encoding: Encoding;
  /** `auto` or one character. */
  readonly delimiter: string;
  /** How many bytes of a byte order mark come before UTF-8. */
  readonly mark: number;
}

interface Copying {
  readonly path: string;
  readonly source: string;
  /** Where the extraction's file will be. */
  readonly target: string;
  readonly reading: Reading;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

async function copyFile({
  path,
  target,
  source,
  reading,
  signal,
  onBytes,
}: Copying): Promise<ExtractedFile> {
  const decoder = createDecoder(reading.encoding, source);
  await using copy = await CountingCopy.create(target, source, reading.delimiter);
  // UTF-8 is copied byte by byte, so that one digest does for source and copy.
  const hash = reading.encoding === 'utf-8' ? undefined : createHash('sha256');
  let bytes = 0;
  for await (const chunk of sourceChunks(path, source, signal)) {
    hash?.update(chunk);
    bytes += chunk.length;
    onBytes(chunk.length);
    await copy.write(decoder.push(chunk));
  }
  await copy.write(decoder.end());
  const counted = await copy.end();
  const origin = originOf(hash?.digest('hex') ?? counted.sha256, reading);
  return { source, file: basename(target), ...counted, origin, originBytes: bytes };
}

/** Grows with every change of what an extraction makes of the same bytes. */
const readingVersion = 1;

function originOf(sha256: string, reading: Reading): string {
  return originDigest(readingVersion, sha256, reading);
}
