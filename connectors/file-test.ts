/** A test of a connector that reads files: each is there, and may be read. */
import type { ConnectionFacts } from '../engine/connection-test.ts';
import type { FileSource, Source } from '../engine/source.ts';
import { chooseFiles } from './chosen-files.ts';
import { firstBytes } from './source-file.ts';

/** @throws LockstepError `SourceUnavailable`, `SourceAmbiguous` */
export async function testFiles(
  directory: string,
  sources: readonly Source[],
): Promise<ConnectionFacts> {
  const found = new Set<string>();
  for (const { options } of sources as readonly Source<FileSource>[]) {
    for (const { file, path } of await chooseFiles(directory, options)) {
      await firstBytes(path, file, 1);
      found.add(file);
    }
  }
  return { version: null, objectTypes: [...found], capabilities: {} };
}
