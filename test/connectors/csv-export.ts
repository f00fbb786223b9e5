/** Exports one source of a CSV connector from files that a test gives, and says what came of it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExtractedFile } from '../../connectors/connector.ts';
import { createCsvConnector } from '../../connectors/csv/csv-connector.ts';
import type { CsvSettings } from '../../connectors/csv/source-export.ts';
import { LockstepError } from '../../engine/errors.ts';
import type { FileSource } from '../../engine/source.ts';
import type { TestedSystem } from './conformance.ts';

/** File name → content. */
export type Files = Readonly<Record<string, string | Buffer>>;

export interface ExportOptions {
  readonly settings?: Partial<CsvSettings>;
  readonly kept?: Exported;
  readonly onProgress?: () => void;
}

export interface Exported extends ExtractedFile {
  /** Absolute path of the extraction's file. */
  readonly path: string;
  readonly text: string;
}

/** A CSV connector with a directory of its own, for the tests of every kind of connector. */
export async function openCsvSystem(): Promise<TestedSystem> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-csv-'));
  return {
    connector: createCsvConnector({ directory, delimiter: 'auto', encoding: 'auto' }),
    async hold(source, rows) {
      const quoted = rows.map((row) =>
        row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','),
      );
      await writeFile(join(directory, source), `${quoted.join('\n')}\n`);
    },
    remove: (source) => rm(join(directory, source)),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** A directory of files, and room for what is exported from it. */
export class CsvDrop implements AsyncDisposable {
  readonly directory: string;
  readonly #target: string;

  private constructor(directory: string, target: string) {
    this.directory = directory;
    this.#target = target;
  }

  static async open(): Promise<CsvDrop> {
    const [directory, target] = await Promise.all(
      ['csv', 'extraction'].map((what) => mkdtemp(join(tmpdir(), `lockstep-${what}-`))),
    );
    return new CsvDrop(directory as string, target as string);
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  /** Writes the files and exports one source of them. Files need not rest unless the settings say so. */
  async exported(files: Files, options: FileSource, more: ExportOptions = {}): Promise<Exported> {
    const { settings, kept, onProgress } = more;
    for (const [name, content] of Object.entries(files)) await writeFile(this.path(name), content);
    const directory = await mkdtemp(join(this.#target, 'x-'));
    const usual = {
      directory: this.directory,
      delimiter: 'auto',
      encoding: 'auto',
      settle: 0,
    } as const;
    const [file] = await createCsvConnector({ ...usual, ...settings }).export({
      mode: 'complete',
      sources: [{ name: options.file, options }],
      kept: kept ? [{ file: kept, path: kept.path, completedAt: new Date().toISOString() }] : [],
      directory,
      onProgress: () => onProgress?.(),
      signal: new AbortController().signal,
    });
    if (!file) throw new Error('nothing was exported');
    const path = join(directory, file.file);
    return { ...file, path, text: await readFile(path, 'utf8') };
  }

  /** Code and message of the error with which that ends. */
  async refused(files: Files, options: FileSource, more: ExportOptions = {}): Promise<string> {
    try {
      await this.exported(files, options, more);
    } catch (error) {
      if (error instanceof LockstepError) return `${error.code}: ${error.message}`;
      throw error;
    }
    throw new Error('it was not refused');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
    await rm(this.#target, { recursive: true, force: true });
  }
}
