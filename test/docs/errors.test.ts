// Keeps docs/errors.md what the catalogues in the code say.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorsPage, notRaisedYet } from '../../docs/generate-errors.ts';
import { errorCatalogue, rejectCatalogue } from '../../engine/errors.ts';

const root = path.resolve(import.meta.dirname, '../..');

test('docs/errors.md is what `node docs/generate-errors.ts` writes', async () => {
  expect(await readFile(path.join(root, 'docs/errors.md'), 'utf8')).toBe(errorsPage());
});

test.each([...Object.keys(errorCatalogue), ...Object.keys(rejectCatalogue)])(
  '%s has a heading of its own',
  (code) => {
    expect(errorsPage().split('\n')).toContain(`### ${code}`);
  },
);

describe('a code that the page calls not raised yet', () => {
  test.each(notRaisedYet)('%s is raised nowhere', async (code) => {
    const folders = [
      'activities',
      'client',
      'config',
      'connectors',
      'store',
      'worker',
      'workflows',
    ];
    for (const folder of folders) {
      for (const file of await readdir(path.join(root, folder), { recursive: true })) {
        if (!file.endsWith('.ts')) continue;
        const text = await readFile(path.join(root, folder, file), 'utf8');
        expect(text.includes(`'${code}'`), `${folder}/${file}`).toBe(false);
      }
    }
  });
});
