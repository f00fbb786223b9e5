/** The CSV connector: copies delimited text files into the extraction. */
import { availableParallelism } from 'node:os';
import type { FileSource, Source } from '../../engine/source.ts';
import { chooseFiles } from '../chosen-files.ts';
import type { Connector, ExportRequest, ExtractedFile } from '../connector.ts';
import { testFiles } from '../file-test.ts';
import { exportInThread } from './export-in-thread.ts';
import {
  type CsvSettings,
  type ExportWatch,
  exportSource,
  type SourceTask,
} from './source-export.ts';

/** Bytes beyond which a source is worth a thread, which takes a moment to start. */
export const threads = { worthwhile: 1 << 24, most: Math.min(2, availableParallelism()) };

/** Creates a CSV connector. It reads everything at every export: a file says what there is, not what changed. */
export function createCsvConnector(settings: CsvSettings): Connector {
  return {
    async export(request) {
      const tasks = await Promise.all(
        (request.sources as readonly Source<FileSource>[]).map((source) =>
          taskOf(source, settings, request),
        ),
      );
      const total = tasks.reduce((sum, task) => sum + sizeOf(task), 0);
      let done = 0;
      const onBytes = (bytes: number) => {
        done += bytes;
        request.onProgress({ done, total, unit: 'bytes' });
      };
      return await exportAll(tasks, { onBytes, signal: request.signal });
    },
    test: ({ sources }) => testFiles(settings.directory, sources),
  };
}

async function taskOf(
  { name, options }: Source<FileSource>,
  settings: CsvSettings,
  { kept, directory }: ExportRequest,
): Promise<SourceTask> {
  const files = await chooseFiles(settings.directory, options);
  const former = kept.find(({ file }) => file.source === name);
  return { settings, source: name, files, former, directory };
}

function sizeOf({ files }: SourceTask): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** Large sources side by side, each in a thread of its own; small ones one after another beside them. */
async function exportAll(
  tasks: readonly SourceTask[],
  { onBytes, signal }: ExportWatch,
): Promise<ExtractedFile[]> {
  const failed = new AbortController();
  const watch = { onBytes, signal: AbortSignal.any([signal, failed.signal]) };
  const extracted = new Map<SourceTask, ExtractedFile>();
  const isLarge = (task: SourceTask) => threads.most > 1 && sizeOf(task) >= threads.worthwhile;
  const lane = async (waiting: SourceTask[], run: typeof exportSource) => {
    for (let task = waiting.shift(); task; task = waiting.shift()) {
      extracted.set(task, await run(task, watch));
    }
  };
  const large = tasks.filter(isLarge);
  const lanes = [
    lane(
      tasks.filter((task) => !isLarge(task)),
      exportSource,
    ),
    ...Array.from({ length: threads.most }, () => lane(large, exportInThread)),
  ];
  for (const each of lanes) each.catch((error) => failed.abort(error));
  // Nobody writes into the extraction any more once this one has failed.
  await Promise.allSettled(lanes);
  if (failed.signal.aborted) throw failed.signal.reason;
  return tasks.map((task) => extracted.get(task) as ExtractedFile);
}
