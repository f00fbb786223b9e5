/** The workflows as a worker takes them: prebuilt, or bundled at its start from their source. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

const workflowsPath = fileURLToPath(new URL(`../workflows/index.${extension}`, import.meta.url));

/** Workflows and worker must read payloads alike. */
export const payloadConverterPath = fileURLToPath(
  new URL(`./payload-converter.${extension}`, import.meta.url),
);

/** Bundles the workflows once, for workers that are given the result: it costs seconds and about 100 MB. */
export async function bundleWorkflows(): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath, payloadConverterPath });
  return code;
}

/** The given bundle; else, from `dist/`, the one that was built with it; else the source, bundled at the worker's start. */
export function workflowCode(bundle: string | undefined) {
  const built = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  const codePath = bundle ?? (extension === 'js' && existsSync(built) ? built : undefined);
  return codePath === undefined ? { workflowsPath } : { workflowBundle: { codePath } };
}
