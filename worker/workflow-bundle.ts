/** The workflows as a worker takes them: bundled once, by a process of its own, and kept until their source changes. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

const workflowsPath = fileURLToPath(new URL(`../workflows/index.${extension}`, import.meta.url));

/** Workflows and worker must read payloads alike. */
export const payloadConverterPath = fileURLToPath(
  new URL(`./payload-converter.${extension}`, import.meta.url),
);

/** Bundles the workflows. It costs seconds and some 300 MB, which a worker had better not keep. */
export async function bundleWorkflows(): Promise<string> {
  const logger = new DefaultLogger('WARN');
  const { code } = await bundleWorkflowCode({ workflowsPath, payloadConverterPath, logger });
  return code;
}

/**
 * Tells where the bundle is: the given one; from `dist/`, the one that was built with it; else one below `home`, made
 * now unless it is there already.
 */
export async function workflowBundle(given: string | undefined, home: string): Promise<string> {
  if (given !== undefined) return given;
  const built = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  if (extension === 'js' && existsSync(built)) return built;
  const name = `workflow-bundle-${await sourceDigest()}.js`;
  if (!existsSync(join(home, name))) {
    await mkdir(home, { recursive: true, mode: 0o700 });
    for (const entry of await readdir(home)) {
      if (entry.startsWith('workflow-bundle-')) await rm(join(home, entry), { force: true });
    }
    const script = fileURLToPath(new URL(`./bundle-workflows.${extension}`, import.meta.url));
    await promisify(execFile)(process.execPath, [script, join(home, name)]);
  }
  return join(home, name);
}

/** Writes a bundle so that nobody ever sees half of it. */
export async function writeBundle(path: string): Promise<void> {
  const unfinished = `${path}.${process.pid}`;
  await writeFile(unfinished, await bundleWorkflows());
  await rename(unfinished, path);
}

/** Changes with every file that can be in the bundle, and with the SDK. */
async function sourceDigest(): Promise<string> {
  const hash = createHash('sha256');
  const sdk = fileURLToPath(import.meta.resolve('@temporalio/worker/package.json'));
  for (const file of [sdk, payloadConverterPath]) hash.update(await readFile(file));
  const workflows = dirname(workflowsPath);
  for (const folder of [workflows, join(workflows, '../engine')]) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    for (const file of files.map(({ parentPath, name }) => join(parentPath, name)).sort()) {
      hash.update(await readFile(file));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
