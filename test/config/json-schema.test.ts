/** The JSON Schema for editors: generated from the validator, committed, and true of the example. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configurationJsonSchema } from '../../config/document.ts';

const root = path.resolve(import.meta.dirname, '../..');
const file = path.join(root, 'docs/lockstep.schema.json');
const text = `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`;

// Written anew by: UPDATE_SCHEMA=1 npm run test:unit && npm run format
test('docs/lockstep.schema.json is what the validator says', async () => {
  if (process.env['UPDATE_SCHEMA']) await writeFile(file, text);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(JSON.parse(text));
});

test('the example is valid under it, and a misspelt option is not', async () => {
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(text));
  const example = parse(await readFile(path.join(root, 'examples/sab/lockstep.yaml'), 'utf8'));
  expect(validate(example), JSON.stringify(validate.errors)).toBe(true);
  example.connectors.sab.directroy = './x';
  expect(validate(example)).toBe(false);
});

test('every option has a description or is plain by its name', () => {
  const limits = JSON.stringify(configurationJsonSchema());
  expect(limits).toContain('A job that plans more asks a person first.');
});
