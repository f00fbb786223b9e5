/** Exports a source in a thread of its own, so that large ones are read side by side and the worker stays at hand. */
import { type ErrorCode, type Fault, LockstepError } from '../../engine/errors.ts';
import { startBareThread } from '../bare-thread.ts';
import type { ExtractedFile } from '../connector.ts';
import type { ExportWatch, SourceTask } from './source-export.ts';

/** What the thread says: how far it is, then how it ended. */
export type FromExportThread =
  | { readonly bytes: number }
  | { readonly extracted: ExtractedFile }
  | { readonly refused: Refusal };

/** A {@link LockstepError}, which does not cross threads as what it is. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly fault: Fault | undefined;
}

/** As `exportSource`. Once it has ended, however, nothing is written any more. */
export async function exportInThread(
  task: SourceTask,
  { onBytes, signal }: ExportWatch,
): Promise<ExtractedFile> {
  signal.throwIfAborted();
  const thread = startBareThread(new URL('./export-thread.ts', import.meta.url), task);
  const ended = Promise.withResolvers<ExtractedFile>();
  const abort = () => ended.reject(signal.reason);
  signal.addEventListener('abort', abort);
  thread.on('message', (said: FromExportThread) => {
    if ('bytes' in said) onBytes(said.bytes);
    else if ('extracted' in said) ended.resolve(said.extracted);
    else ended.reject(new LockstepError(said.refused.code, said.refused.message, said.refused));
  });
  thread.on('error', ended.reject);
  thread.on('exit', () => ended.reject(new Error('the thread of an export ended without a word')));
  try {
    return await ended.promise;
  } finally {
    signal.removeEventListener('abort', abort);
    await thread.terminate();
  }
}
