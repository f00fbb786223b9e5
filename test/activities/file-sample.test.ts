/** A sample shows cells as a person knows them: an error cell of a workbook as its error, not with the mark of one. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleFile } from '../../activities/file-sample.ts';
import { findRecords } from '../../client/source-record.ts';
import { defaultDrift } from '../../engine/diagnosis/drift.ts';
import type { EntityType } from '../../engine/entity-type.ts';
import { errorCell } from '../../engine/error-cell.ts';

const content = `id,name\n1,${errorCell('#N/A')}\n2,#N/A\n`;
const file = {
  source: 'people.xlsx',
  file: 'people.xlsx',
  rows: 2,
  bytes: Buffer.byteLength(content),
  sha256: createHash('sha256').update(content).digest('hex'),
  delimiter: ',',
  countsRecords: true as const,
};

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lockstep-sample-'));
  await mkdir(join(root, 'hr'));
  await writeFile(join(root, 'hr', 'people.xlsx'), content);
});
afterAll(() => rm(root, { recursive: true }));

test('in the sample that diagnoses look at', async () => {
  const { records } = await sampleFile(root, { id: 'hr' }, file, new AbortController().signal);
  expect(records).toEqual([
    ['1', '#N/A'],
    ['2', '#N/A'],
  ]);
});

test('in the row that an explanation shows', async () => {
  const name = (property: string) =>
    ({
      kind: 'scalar',
      name: property,
      origin: { from: 'column', column: property },
      format: { type: 'string' },
    }) as const;
  const entityType: EntityType = {
    name: 'person',
    connector: 'hr',
    source: { name: 'people.xlsx', options: { file: 'people.xlsx' } },
    key: 'id',
    properties: [name('id'), name('name')],
    searchable: [],
    thresholds: {},
    drift: defaultDrift,
  };
  const mode = 'complete' as const;
  const manifest = { id: 'hr', connector: 'hr', job: 'j', createdAt: '', mode, files: [file] };
  const { rows } = await findRecords({ root, manifest, entityType, key: '1', line: null });
  expect(rows.map(({ cells }) => cells.get('name'))).toEqual(['#N/A']);
});
