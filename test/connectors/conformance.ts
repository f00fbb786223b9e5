/** What every connector must do, whatever it reads: run by the test file of each kind. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Connector, ExtractedFile, KeptFile, Progress } from '../../connectors/connector.ts';
import { parseRecords } from '../../connectors/record-parser.ts';
import { LockstepError } from '../../engine/errors.ts';
import type { Mode } from '../../engine/job.ts';
import type { Source } from '../../engine/source.ts';

/** A connected system of the kind under test, as the suite needs it. */
export interface TestedSystem extends AsyncDisposable {
  readonly connector: Connector;
  /** What a source of this name is; a file when left out. */
  readonly sourceOf?: (name: string) => Source;
  /** Makes the system hold these rows under a source; the first row is the header. */
  hold(source: string, rows: readonly (readonly string[])[]): Promise<void>;
  /** Takes a source away. */
  remove(source: string): Promise<void>;
}

const rows = [
  ['id', 'name'],
  ['1', 'Zoé "Zo" Łęcka'],
  ['2', 'two\nlines, and a comma'],
  ['3', ''],
  ['4', '😀'],
];

/** A source that is a file of this name. */
export function fileSource(file: string): Source {
  return { name: file, options: { file } };
}

/** Exports into a directory of its own, which the caller may look into. */
export async function exportInto(
  connector: Connector,
  sources: readonly (string | Source)[],
  use: (directory: string, files: ExtractedFile[]) => Promise<void>,
  {
    signal = new AbortController().signal,
    onProgress = () => {},
    kept = [],
    mode = 'complete',
    cursors,
  }: {
    signal?: AbortSignal;
    onProgress?: (progress: Progress) => void;
    kept?: readonly KeptFile[];
    mode?: Mode;
    cursors?: ReadonlyMap<string, string>;
  } = {},
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-extraction-'));
  try {
    const files = await connector.export({
      mode,
      ...(cursors && { cursors }),
      sources: sources.map((each) => (typeof each === 'string' ? fileSource(each) : each)),
      kept,
      directory,
      onProgress,
      signal,
    });
    await use(directory, files);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The error of an export that must fail. */
export async function exportError(
  connector: Connector,
  sources: readonly (string | Source)[],
): Promise<LockstepError> {
  try {
    await exportInto(connector, sources, async () => {});
  } catch (error) {
    if (error instanceof LockstepError) return error;
    throw error;
  }
  throw new Error('the export did not fail');
}

const sources = ({ sourceOf = fileSource }: TestedSystem, ...names: string[]) =>
  names.map(sourceOf);

/** Runs the suite. */
export function testConformance(kind: string, open: () => Promise<TestedSystem>): void {
  describe(`every connector, ${kind}`, () => {
    test('tells rows, bytes and SHA-256 of what it wrote, as UTF-8 text with a header', async () => {
      await using system = await open();
      await system.hold('people', rows);
      await system.hold('teams', rows.slice(0, 2));
      await exportInto(
        system.connector,
        sources(system, 'people', 'teams'),
        async (directory, files) => {
          expect(files.map(({ source, rows: count }) => [source, count])).toEqual([
            ['people', 4],
            ['teams', 1],
          ]);
          expect((await readdir(directory)).sort()).toEqual(files.map(({ file }) => file).sort());
          for (const { file, bytes, sha256, delimiter } of files) {
            const content = await readFile(join(directory, file));
            expect(content.length).toBe(bytes);
            expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
            expect(delimiter).toHaveLength(1);
          }
          const [people] = files;
          const written = await readFile(join(directory, people?.file ?? ''));
          expect(parseRecords(written, people?.delimiter ?? '')).toEqual(rows);
        },
      );
    });

    test('writes files that only its own user may read', async () => {
      await using system = await open();
      await system.hold('people', rows);
      await exportInto(system.connector, sources(system, 'people'), async (directory, [people]) => {
        const { mode } = await stat(join(directory, people?.file ?? ''));
        expect(mode & 0o077).toBe(0);
      });
    });

    test('exports all sources or none', async () => {
      await using system = await open();
      await system.hold('people', rows);
      expect((await exportError(system.connector, sources(system, 'people', 'absent'))).code).toBe(
        'SourceUnavailable',
      );
    });

    test('a source that is gone is SourceUnavailable, which is worth a retry', async () => {
      await using system = await open();
      await system.hold('people', rows);
      await system.remove('people');
      const error = await exportError(system.connector, sources(system, 'people'));
      expect([error.code, error.kind]).toEqual(['SourceUnavailable', 'wait']);
      expect(error.message).toContain('people');
    });

    test('a source without a row is SourceEmpty, never nobody', async () => {
      await using system = await open();
      await system.hold('people', rows.slice(0, 1));
      const error = await exportError(system.connector, sources(system, 'people'));
      expect([error.code, error.kind]).toEqual(['SourceEmpty', 'fix']);
    });

    test('stops promptly when it is aborted', async () => {
      await using system = await open();
      const many = Array.from({ length: 200_000 }, (_, index) => [`${index}`, `name of ${index}`]);
      await system.hold('people', [['id', 'name'], ...many]);
      const controller = new AbortController();
      let abortedAt = 0;
      const aborted = exportInto(system.connector, sources(system, 'people'), async () => {}, {
        signal: controller.signal,
        onProgress: () => {
          abortedAt ||= Date.now();
          controller.abort();
        },
      });
      await expect(aborted).rejects.toThrow(/abort/i);
      expect(Date.now() - abortedAt).toBeLessThan(1000);
    });

    test('tells its progress up to the whole', async () => {
      await using system = await open();
      await system.hold('people', rows);
      const told: Progress[] = [];
      await exportInto(system.connector, sources(system, 'people'), async () => {}, {
        onProgress: (progress) => told.push(progress),
      });
      expect(told.at(-1)?.done).toBe(told.at(-1)?.total);
    });

    test('the messages of its errors hold no cell', async () => {
      await using system = await open();
      await system.hold('people', [['id', 'name']]);
      const { message, hint } = await exportError(system.connector, sources(system, 'people'));
      expect(`${message} ${hint}`).not.toMatch(/name/);
    });
  });
}
