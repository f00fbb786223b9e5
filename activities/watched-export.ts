/** One source, exported for a look: given up when the connected system says nothing for too long. */
import type { Connector, ExportRequest, ExtractedFile } from '../connectors/connector.ts';
import type { Source } from '../engine/source.ts';

/** Longer than any timeout for a connection, shorter than a person's patience. */
const silenceMs = 30_000;

/** What came of it: the file, or nothing for so many seconds. */
export type WatchedExport = { readonly file: ExtractedFile } | { readonly silentSeconds: number };

/** Where to and for whom. */
export interface WatchedRequest extends Pick<ExportRequest, 'directory' | 'onProgress' | 'signal'> {
  readonly source: Source;
}

/**
 * Exports one source. As long as it tells of progress it may take its time.
 *
 * **Danger:** a system that hangs may not hear that it was given up; whatever it still writes is the caller's to remove.
 *
 * @throws LockstepError what the connector throws
 */
export async function exportWatched(
  connector: Pick<Connector, 'export'>,
  { source, directory, onProgress, signal }: WatchedRequest,
  limitMs = silenceMs,
): Promise<WatchedExport> {
  const giveUp = new AbortController();
  const silent = Promise.withResolvers<WatchedExport>();
  let heard = Date.now();
  const watch = setInterval(
    () => {
      if (Date.now() - heard < limitMs) return;
      giveUp.abort();
      silent.resolve({ silentSeconds: Math.round(limitMs / 1000) });
    },
    Math.min(500, limitMs),
  );
  const exported = connector.export({
    mode: 'complete',
    sources: [source],
    kept: [],
    directory,
    onProgress(progress) {
      heard = Date.now();
      onProgress(progress);
    },
    signal: AbortSignal.any([signal, giveUp.signal]),
  });
  const file = exported.then(
    (files): WatchedExport => ({
      file: files.find((each) => each.source === source.name) as ExtractedFile,
    }),
  );
  // What a source says after it was given up interests nobody.
  file.catch(() => {});
  try {
    return await Promise.race([file, silent.promise]);
  } catch (error) {
    if (giveUp.signal.aborted && !signal.aborted) return await silent.promise;
    throw error;
  } finally {
    clearInterval(watch);
  }
}
