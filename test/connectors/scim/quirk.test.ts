/** The quirks that can be named are those that the manual tells of, and that the configuration takes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scimOptions } from '../../../config/scim-document.ts';
import { quirkCatalogue } from '../../../engine/scim-quirk.ts';

test('catalogue, configuration and manual name the same quirks', async () => {
  const quirks = Object.keys(quirkCatalogue);
  const manual = await readFile(join(import.meta.dirname, '../../../docs/scim.md'), 'utf8');
  const [, table = ''] = manual.split('| `quirks` | When |');
  expect([...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name)).toEqual(quirks);
  for (const quirk of quirks) expect(scimOptions.quirks.safeParse([quirk]).success).toBe(true);
});
