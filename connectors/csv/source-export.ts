/** Exports one source of delimited text, from one file or from several: copied as UTF-8, byte by byte where it is UTF-8. */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import type { SourcePart } from '../../engine/source-part.ts';
import type { ChosenFile } from '../chosen-files.ts';
import type { ExtractedFile, KeptFile } from '../connector.ts';
import { linkUnchanged, originDigest } from '../kept-file.ts';
import { awaitSettled } from '../settled-file.ts';
import { extractedName, readUndisturbed } from '../source-file.ts';
import { AlignedPart, type FirstPart } from './aligned-part.ts';
import { CountingCopy } from './counting-copy.ts';
import type { Encoding } from './encoding.ts';
import { fileText, type TextForm, textForm } from './file-text.ts';

/** How to read the files of a CSV connector. */
export interface CsvSettings {
  /** Absolute. */
  readonly directory: string;
  /** `auto` or one character. */
  readonly delimiter: string;
  readonly encoding: Encoding | 'auto';
  /** Seconds, see {@link awaitSettled}. */
  readonly settle?: number | undefined;
}

/** What to export, and where to. It can be sent to a thread. */
export interface SourceTask {
  readonly settings: CsvSettings;
  /** Name of the source. */
  readonly source: string;
  /** One or more. */
  readonly files: readonly ChosenFile[];
  /** What the last extraction has of the source. */
  readonly former: KeptFile | undefined;
  /** Of the extraction. */
  readonly directory: string;
}

/** Who watches an export. */
export interface ExportWatch {
  /** Told how many more bytes of the source are done. */
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** @throws LockstepError what {@link Connector.export} throws */
export function exportSource(task: SourceTask, watch: ExportWatch): Promise<ExtractedFile> {
  return new SourceExport(task, watch).run();
}

/** Exports one source, from one file or from several. */
class SourceExport {
  readonly #task: SourceTask;
  readonly #watch: ExportWatch;
  /** Where the extraction's file will be. */
  readonly #target: string;

  constructor(task: SourceTask, watch: ExportWatch) {
    this.#task = task;
    this.#watch = watch;
    this.#target = join(task.directory, extractedName(task.source));
  }

  async run(): Promise<ExtractedFile> {
    const [first, ...others] = this.#task.files as [ChosenFile, ...ChosenFile[]];
    if (others.length > 0) return await this.#join(first, others);
    const extracted = await this.#read(first, (form) => this.#single(first, form));
    if (first.file === this.#task.source) return extracted;
    return { ...extracted, parts: [{ file: first.file, firstLine: 1, line: 1 }] };
  }

  /** Reads a file that nobody writes to, neither before nor meanwhile. */
  async #read<Result>(
    { path, file }: ChosenFile,
    read: (form: TextForm) => Promise<Result>,
  ): Promise<Result> {
    const { settle, encoding } = this.#task.settings;
    await awaitSettled({ path, file, settle, signal: this.#watch.signal });
    return await readUndisturbed(path, file, async () =>
      read(await textForm(path, file, encoding)),
    );
  }

  async #single(chosen: ChosenFile, form: TextForm): Promise<ExtractedFile> {
    const unchanged = await linkUnchanged({
      path: chosen.path,
      target: this.#target,
      kept: this.#task.former,
      start: form.packed ? 0 : form.mark,
      originOf: (sha256) => this.#originOf(sha256, form),
      signal: this.#watch.signal,
      onBytes: this.#watch.onBytes,
    });
    return unchanged ?? (await this.#copy(chosen, form));
  }

  async #copy(chosen: ChosenFile, form: TextForm): Promise<ExtractedFile> {
    await using copy = await this.#create(chosen);
    // UTF-8 is copied byte by byte, so that one digest does for source and copy.
    const hash = form.encoding === 'utf-8' && !form.packed ? undefined : createHash('sha256');
    let originBytes = 0;
    const onChunk = (chunk: Buffer) => {
      hash?.update(chunk);
      originBytes += chunk.length;
    };
    for await (const text of this.#text(chosen, form, onChunk)) await copy.write(text);
    const counted = await copy.end();
    const file = { source: this.#task.source, file: basename(this.#target), ...counted };
    if (copy.altered) return file;
    const origin = this.#originOf(hash?.digest('hex') ?? counted.sha256, form);
    return { ...file, origin, originBytes };
  }

  /** Several files of the same columns become one, the first as it is, the others without their headers. */
  async #join(first: ChosenFile, others: readonly ChosenFile[]): Promise<ExtractedFile> {
    await using copy = await this.#create(first);
    const begun = await this.#read(first, async (form) => {
      for await (const text of this.#text(first, form)) await copy.write(text);
      return await copy.endFirst();
    });
    const parts: SourcePart[] = [{ file: first.file, firstLine: 1, line: 1 }];
    for (const other of others) {
      await copy.endLine();
      const firstLine = copy.nextLine;
      const line = await this.#append(other, begun, copy);
      parts.push({ file: other.file, firstLine, line });
    }
    const file = basename(this.#target);
    return { source: this.#task.source, file, ...(await copy.end()), parts };
  }

  async #append(chosen: ChosenFile, first: FirstPart, copy: CountingCopy): Promise<number> {
    const part = new AlignedPart(chosen.file, first);
    return await this.#read(chosen, async (form) => {
      for await (const text of this.#text(chosen, form)) await copy.write(part.push(text));
      const { text, line } = part.end();
      await copy.write(text);
      return line;
    });
  }

  #create({ file }: ChosenFile): Promise<CountingCopy> {
    const { settings, former } = this.#task;
    const { delimiter } = settings;
    return CountingCopy.create(this.#target, { name: file, delimiter, former });
  }

  #text(
    { path, file }: ChosenFile,
    form: TextForm,
    onChunk: (chunk: Buffer) => void = () => {},
  ): AsyncGenerator<Buffer> {
    const onBytes = (chunk: Buffer) => {
      onChunk(chunk);
      this.#watch.onBytes(chunk.length);
    };
    return fileText({ path, file, form, signal: this.#watch.signal, onBytes });
  }

  #originOf(sha256: string, form: TextForm): string {
    const { delimiter } = this.#task.settings;
    return originDigest(readingVersion, sha256, { ...form, delimiter });
  }
}

/** Grows with every change of what an extraction makes of the same bytes. */
const readingVersion = 2;
