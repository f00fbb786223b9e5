/** A Python of our own with what one reference needs, installed once into the user's cache directory. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../program.ts';

/** A virtual environment, or why there is none. */
export type PythonEnvironment =
  | { readonly directory: string; readonly python: string }
  | { readonly missing: string };

/**
 * Installs `<name>-requirements.txt` of this folder, unless exactly that is installed already. It is installed beside
 * its place and renamed into it, so nothing half installed is ever used.
 */
export async function pythonEnvironment(
  name: string,
  cache: string,
  signal: AbortSignal,
): Promise<PythonEnvironment> {
  const requirements = fileURLToPath(new URL(`./${name}-requirements.txt`, import.meta.url));
  const digest = createHash('sha256').update(await readFile(requirements));
  const place = join(cache, `bench-python-${name}-${digest.digest('hex').slice(0, 12)}`);
  const environment = { directory: place, python: join(place, 'bin', 'python') };
  if (existsSync(place)) return environment;

  console.error(`Installing ${name} into ${place} …`);
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, '.installing-bench-'));
  try {
    await runProgram('python3', ['-m', 'venv', staging], { signal });
    const flags = [
      '--quiet',
      '--no-input',
      '--disable-pip-version-check',
      '--only-binary',
      ':all:',
    ];
    const install = ['-m', 'pip', 'install', ...flags, '-r', requirements];
    await runProgram(join(staging, 'bin', 'python'), install, { signal });
    await rename(staging, place);
    return environment;
  } catch (error) {
    signal.throwIfAborted();
    const reason = (error as Error).message.replaceAll(/\s+/g, ' ');
    return { missing: `cannot be installed: ${reason.slice(0, 200)}` };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
