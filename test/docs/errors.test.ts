// Keeps docs/errors.md what the catalogues in the code say.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { errorsPage } from '../../docs/generate-errors.ts';
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
