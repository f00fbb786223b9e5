// Tests of the configurations that a worker keeps: parsed once, and never older than the file.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { readConfiguration } from '../../config/configuration.ts';
import { keepConfigurations } from '../../worker/kept-configurations.ts';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-kept-'));
  file = join(directory, 'lockstep.yaml');
  return () => rm(directory, { recursive: true });
});

const write = (connector: string) =>
  writeFile(file, `connectors: { ${connector}: { kind: csv, directory: . } }\nentityTypes: {}\n`);
const keep = () => keepConfigurations({}, (asked) => asked ?? file);

test('a file is parsed once as long as it says the same, and its version is not parsed again', async () => {
  await write('sab');
  const kept = keep();
  const { configuration, source } = await kept.read();
  expect((await kept.read()).configuration).toBe(configuration);
  expect(kept.parse(structuredClone(source))).toBe(configuration);
});

test('a change of the file counts at once; the version before is still served', async () => {
  await write('sab');
  const kept = keep();
  const before = await kept.read();
  await write('hr');
  const after = await kept.read();
  expect([...after.configuration.connectors.keys()]).toEqual(['hr']);
  expect(kept.parse(before.source)).toBe(before.configuration);
});

test('two files are told apart, and one that is gone or wrong is refused though it was read before', async () => {
  await write('sab');
  const kept = keep();
  await kept.read();
  const other = join(directory, 'other.yaml');
  await writeFile(other, 'connectors: 7\n');
  await expect(kept.read(other)).rejects.toMatchObject({ code: 'ConfigurationInvalid' });
  await rm(file);
  await expect(kept.read()).rejects.toMatchObject({ code: 'ConfigurationInvalid' });
});

test('of a version that was never read, and of those long out of use, the document is parsed', async () => {
  await write('sab');
  const { source } = await readConfiguration(file, {});
  const kept = keep();
  const parsed = kept.parse(source);
  expect([...parsed.connectors.keys()]).toEqual(['sab']);
  for (let nth = 0; nth < 30; nth++) kept.parse({ ...source, version: `version ${nth}` });
  expect(kept.parse(source)).not.toBe(parsed);
  expect(kept.parse(source)).toEqual(parsed);
});
