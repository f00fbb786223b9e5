/** Connected systems of a few dozen rows: so small that a job's time is what jobs themselves cost. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes the source: `changed` of its rows are as in `edition`, the others as they always were. */
export async function writeSmallSource(
  directory: string,
  rows: number,
  { changed = 0, edition = 0 } = {},
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const lines = Array.from({ length: rows }, (_, index) => {
    const title = index < changed ? `Engineer ${edition}` : 'Engineer';
    return `u${index},Person ${index},u${index}@example.com,${title},Site ${index % 7}\n`;
  });
  const path = join(directory, 'people.csv');
  await writeFile(`${path}.part`, `login,name,mail,title,site\n${lines.join('')}`);
  await rename(`${path}.part`, path);
}

/** lockstep.yaml for these connectors; JSON is YAML. Each has a directory of its name beside it. */
export function smallConfiguration(
  connectors: readonly string[],
  schedules: object = { complete: 'never' },
): string {
  const properties = Object.fromEntries(
    ['login', 'name', 'mail', 'title', 'site'].map((column) => [column, { column }]),
  );
  const each = (document: (name: string) => object, suffix = '') =>
    Object.fromEntries(connectors.map((name) => [`${name}${suffix}`, document(name)]));
  return JSON.stringify({
    connectors: each((name) => ({ kind: 'csv', directory: `./${name}`, schedules })),
    entityTypes: each(
      (connector) => ({ connector, source: 'people.csv', key: 'login', properties }),
      '_person',
    ),
  });
}
