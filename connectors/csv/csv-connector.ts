/** The CSV connector: copies delimited text files into the extraction as UTF-8, byte by byte where they are UTF-8. */
import { createHash } from 'node:crypto';
import { link, open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LockstepError } from '../../engine/errors.ts';
import type { Source } from '../../engine/source.ts';
import type { Connector, ExportRequest, ExtractedFile, KeptFile } from '../connector.ts';
import { fileChunks } from '../file-chunks.ts';
import { fileDigest } from '../file-digest.ts';
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
      const sizes = await Promise.all(
        request.sources.map(({ name, options }) =>
          fileSize(join(settings.directory, options.file), name),
        ),
      );
      const total = sizes.reduce((sum, size) => sum + size, 0);
      let done = 0;
      const files: ExtractedFile[] = [];
      for (const source of request.sources) {
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
  { name: source, options }: Source,
  request: ExportRequest,
  onBytes: (bytes: number) => void,
): Promise<ExtractedFile> {
  const { directory, signal } = request;
  const path = join(settings.directory, options.file);
  const before = await identity(path, source);
  const start = await firstBytes(path, source, 4);
  const encoding = chooseEncoding(settings.encoding, start);
  const reading = { encoding, delimiter: settings.delimiter, mark: markLength(encoding, start) };
  // Whatever stands between folders, two sources are two files.
  const target = join(directory, source.replaceAll(/[\\/%]/g, encodeURIComponent));
  const kept = request.kept.find(({ file }) => file.source === source);
  const unchanged = await linkUnchanged({ path, target, kept, reading, signal, onBytes });
  const extracted =
    unchanged ?? (await copyFile({ path, target, source, reading, signal, onBytes }));
  if ((await identity(path, source)) !== before) {
    throw new LockstepError('SourceUnavailable', `${source} was written to while it was read`, {
      hint: 'Have it written under another name and renamed when it is complete. The export is tried again.',
    });
  }
  return extracted;
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
  /** Where the extraction's file will be. */
  readonly target: string;
  readonly reading: Reading;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/**
 * A source that is, byte by byte, what the last extraction was made from gets a second name for that extraction's file,
 * which costs neither space nor a look at its rows. The file itself is looked at: somebody may have touched it.
 */
async function linkUnchanged({
  path,
  target,
  kept,
  reading,
  signal,
  onBytes,
}: Copying & { readonly kept: KeptFile | undefined }): Promise<ExtractedFile | undefined> {
  if (kept?.file.origin === undefined || (await stat(path)).size !== kept.file.originBytes) return;
  const sha256 = await fileDigest(path, { start: reading.mark, signal });
  if (originOf(sha256, reading) !== kept.file.origin) return;
  try {
    if ((await fileDigest(kept.path, { signal })) !== kept.file.sha256) return;
    await link(kept.path, target);
    onBytes(kept.file.originBytes ?? 0);
  } catch (error) {
    // Purged since, or a file system without links.
    if (signal.aborted) throw error;
    return;
  }
  return { ...kept.file, file: basename(target) };
}

async function copyFile({
  path,
  target,
  source,
  reading,
  signal,
  onBytes,
}: Copying & { readonly source: string }): Promise<ExtractedFile> {
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

async function* sourceChunks(
  path: string,
  source: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    yield* fileChunks(path, { signal });
  } catch (error) {
    throw asReadError(error, source);
  }
}

/** Grows with every change of what an extraction makes of the same bytes. */
const readingVersion = 1;

function originOf(sha256: string, reading: Reading): string {
  return createHash('sha256')
    .update(JSON.stringify([readingVersion, sha256, reading]))
    .digest('hex');
}

async function fileSize(path: string, source: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw asReadError(error, source);
  }
}

/** What tells that a file is still the same: its place, size and time of change. */
async function identity(path: string, source: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    throw asReadError(error, source);
  }
}

async function firstBytes(path: string, source: string, count: number): Promise<Buffer> {
  try {
    await using handle = await open(path);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw asReadError(error, source);
  }
}

const readErrors: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by the worker',
  EPERM: 'may not be read by the worker',
  EISDIR: 'is a directory',
  ENOTDIR: 'is not in a directory',
};

function asReadError(error: unknown, source: string): unknown {
  const reason = readErrors[(error as NodeJS.ErrnoException).code ?? ''];
  return reason === undefined
    ? error
    : new LockstepError('SourceUnavailable', `${source} ${reason}`, { cause: error });
}
