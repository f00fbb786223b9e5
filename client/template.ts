/** Templates of a configuration: the examples of this project, each with the words that explain it. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LockstepError } from '../engine/errors.ts';

const root = fileURLToPath(new URL('../examples/', import.meta.url));

/** What a configuration is made of; an example may have programs beside it. */
const kinds = new Set(['.yaml', '.md', '.csv']);

/** A configuration to begin with. */
export interface Template {
  /** Names it in `lockstep init`. */
  readonly name: string;
  /** What it is for: the heading of its README. */
  readonly title: string;
}

/** A configuration that was made from a template. */
export interface NewConfiguration {
  readonly template: string;
  /** As it was given. */
  readonly directory: string;
  /** Paths below the directory, in order. */
  readonly files: readonly string[];
  /** Its README.md (Markdown): what each setting does, and what to type first. */
  readonly readme: string;
}

/** Every template, by name. */
export async function listTemplates(): Promise<Template[]> {
  const entries = await readdir(root, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return await Promise.all(
    names.sort().map(async (name) => {
      const readme = await readFile(join(root, name, 'README.md'), 'utf8');
      return { name, title: /^# (.+)$/m.exec(readme)?.[1] ?? name };
    }),
  );
}

/**
 * Writes a template's configuration, sample data and README into a directory, which is made when it is missing.
 *
 * @throws LockstepError `NotFound` when there is no such template; `UsageInvalid` when one of its files is there already:
 * nothing is written then
 */
export async function createFromTemplate(
  name: string,
  directory: string,
): Promise<NewConfiguration> {
  const templates = await listTemplates();
  if (!templates.some((template) => template.name === name)) {
    const names = templates.map((template) => template.name).join(', ');
    throw new LockstepError('NotFound', `there is no template ${name}; there are ${names}`);
  }
  const entries = await readdir(join(root, name), { recursive: true });
  const files = entries.filter((entry) => kinds.has(extname(entry))).sort();
  for (const file of files) await requireFree(directory, file);
  for (const file of files) {
    const target = join(directory, file);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, await textOf(name, file), { flag: 'wx' });
  }
  return { template: name, directory, files, readme: await textOf(name, 'README.md') };
}

/** A file of a template, with its paths as they are where it goes. */
async function textOf(template: string, file: string): Promise<string> {
  const text = await readFile(join(root, template, file), 'utf8');
  return text.replaceAll(`examples/${template}/`, '');
}

async function requireFree(directory: string, file: string): Promise<void> {
  const isThere = await stat(join(directory, file)).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  throw new LockstepError('UsageInvalid', `${join(directory, file)} is there already`, {
    hint: 'Nothing was written. Name another directory.',
  });
}
