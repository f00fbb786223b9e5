/** An extraction that is what its export left: nothing is prepared from another, and nothing is loaded. */
import { cancellationSignal } from '@temporalio/activity';
import {
  lookOverExtraction,
  type Manifest,
  readManifest,
  verifyExtraction,
} from '../connectors/extraction.ts';
import { manifestDigest } from '../store/extraction-store.ts';
import type { ActivityDependencies } from './dependencies.ts';

/**
 * Reads the manifest of an extraction, which must be the one the store knows by its digest, and checks the files against
 * it: thoroughly (every byte), or by a look that takes no time, where every byte is, or was just now, read anyway.
 *
 * @throws LockstepError `ExtractionModified`
 */
export async function untouchedExtraction(
  { store, extractions }: Pick<ActivityDependencies, 'store' | 'extractions'>,
  id: string,
  { thoroughly }: { readonly thoroughly: boolean },
): Promise<Manifest> {
  const manifest = await readManifest(extractions, id, await manifestDigest(store, id));
  const check = thoroughly ? verifyExtraction : lookOverExtraction;
  await check(extractions, manifest, cancellationSignal());
  return manifest;
}
