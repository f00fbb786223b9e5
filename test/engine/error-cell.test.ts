/** Error cells of workbooks: told apart from text, and rejects wherever their column is mapped. */
import { describe, expect, test } from 'vitest';
import { defaultDrift } from '../../engine/diagnosis/drift.ts';
import type { EntityType, Property } from '../../engine/entity-type.ts';
import { errorCell, errorOf } from '../../engine/error-cell.ts';
import {
  compileAssociationMapping,
  compileEntityMapping,
  Header,
} from '../../engine/row-mapping.ts';

test.each(['#N/A', '#REF!', '#DIV/0!', '#NAME?', '#GETTING_DATA', '#ERROR!'])(
  '%s comes back from its cell, and as text is none',
  (error) => {
    expect(errorOf(errorCell(error))).toBe(error);
    expect(errorOf(error)).toBeUndefined();
  },
);

test.each([
  '',
  'a',
  '#',
  '\u001a',
  '\u001aZoé',
  '\u001a#n/a',
  'x\u001a#N/A',
  '\u001a#N/A\n',
  '\u001a#N/A x',
])('%j is text', (text) => {
  expect(errorOf(text)).toBeUndefined();
});

const property = (name: string): Property => ({
  kind: 'scalar',
  name,
  origin: { from: 'column', column: name },
  format: { type: 'string' },
});

const person: EntityType = {
  name: 'person',
  connector: 'sab',
  source: { name: 'people.xlsx', options: { file: 'people.xlsx' } },
  key: 'id',
  properties: [property('id'), property('name')],
  searchable: [],
  thresholds: {},
  drift: defaultDrift,
};

describe('a row with an error cell', () => {
  const header = new Header(['id', 'name', 'comment']);
  const targets = new Map([[person.name, person]]);
  const map = compileEntityMapping(person, header, targets, new Map());
  const failed = errorCell('#N/A');

  test('of a mapped column is a reject with the column and the error, also of type string', () => {
    expect(map(['1', failed, ''])).toEqual({
      problem: {
        code: 'ValueInvalid',
        key: '1',
        column: 'name',
        value: '#N/A',
        message: 'name is the error of a formula, not a value',
      },
    });
  });

  test('of the key is one without a key', () => {
    expect(map([failed, 'Zoé', ''])).toMatchObject({
      problem: { code: 'ValueInvalid', key: null, column: 'id', value: '#N/A' },
    });
  });

  test('of a column that is not mapped is used', () => {
    expect(map(['1', 'Zoé', failed])).toEqual({
      mapped: { key: '1', attributes: { id: '1', name: 'Zoé' }, references: {} },
    });
  });

  test('that is an end of a link is a reject', () => {
    const end = (column: string) => ({ entityType: 'person', property: column, column });
    const link = compileAssociationMapping(
      { ...person, name: 'l', from: end('id'), to: end('name') },
      header,
      targets,
    );
    expect(link(['1', failed, ''])).toMatchObject({
      problem: { code: 'ValueInvalid', column: 'name', value: '#N/A' },
    });
  });
});
