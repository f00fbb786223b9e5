/** Rows to resources and links: columns by name, conversions, expressions, and the reason where a row cannot be used. */
import { describe, expect, test } from 'vitest';
import { defaultDrift } from '../../engine/diagnosis/drift.ts';
import type { Association, EntityType, Property } from '../../engine/entity-type.ts';
import {
  compileAssociationMapping,
  compileEntityMapping,
  type Evaluate,
  Header,
  keyConversion,
} from '../../engine/row-mapping.ts';

const text = (name: string, column: string): Property => ({
  kind: 'scalar',
  name,
  origin: { from: 'column', column },
  format: { type: 'string' },
});
const whole = (name: string, column: string): Property => ({
  kind: 'scalar',
  name,
  origin: { from: 'column', column },
  format: { type: 'integer' },
});
const made = (name: string): Property => ({
  kind: 'scalar',
  name,
  origin: { from: 'expression', expression: name },
  format: { type: 'string' },
});

function entityType(key: string, ...properties: Property[]): EntityType {
  return {
    name: 'thing',
    connector: 'sab',
    source: { name: 'things.csv', options: { file: 'things.csv' } },
    key,
    properties,
    searchable: [],
    thresholds: {},
    drift: defaultDrift,
  };
}

const numbered = { ...entityType('id', whole('id', 'nr')), name: 'numbered' };
const targets = new Map([[numbered.name, numbered]]);

function map(type: EntityType, header: string[], cells: string[], evaluators = {}) {
  const byName = new Map<string, Evaluate>(Object.entries(evaluators));
  const known = new Map(targets).set(type.name, type);
  return compileEntityMapping(type, new Header(header), known, byName)(cells);
}

describe('a row', () => {
  const type = entityType('id', text('id', 'nr'), text('name', 'label'), whole('age', 'age'), {
    kind: 'reference',
    name: 'owner',
    origin: { from: 'column', column: 'own' },
    references: 'numbered',
  });
  const header = ['label', 'x', ' nr ', 'age', 'own'];

  test('has its values by heading, trimmed, converted; references as keys of their target', () => {
    expect(map(type, header, [' Zoé ', 'ignored', ' 7 ', '036', '007'])).toEqual({
      mapped: {
        key: '7',
        attributes: { id: '7', name: 'Zoé', age: 36 },
        references: { owner: '7' },
      },
    });
  });

  test('has no value for a blank cell', () => {
    expect(map(type, header, ['', '', '7', '  ', ''])).toEqual({
      mapped: { key: '7', attributes: { id: '7' }, references: {} },
    });
  });

  test.each<[string, string[], object]>([
    [
      'a blank key',
      ['Zoé', '', ' ', '1', ''],
      { code: 'KeyMissing', key: null, column: 'nr', message: 'id is blank' },
    ],
    [
      'a blank key and another fault',
      ['Zoé', '', '', 'x', ''],
      { code: 'KeyMissing', message: 'id is blank; also age is not a whole number' },
    ],
    [
      'a value that does not convert',
      ['Zoé', '', '7', 'x', ''],
      {
        code: 'ValueInvalid',
        key: '7',
        column: 'age',
        value: 'x',
        message: 'age is not a whole number',
      },
    ],
    [
      'a reference that is no key of its target',
      ['Zoé', '', '7', '', 'q'],
      {
        code: 'ValueInvalid',
        key: '7',
        column: 'own',
        value: 'q',
        message: 'owner is not a whole number',
      },
    ],
    [
      'two that do not',
      ['Zoé', '', '7', 'x', 'q'],
      { column: 'age', message: 'age is not a whole number; also owner is not a whole number' },
    ],
    [
      'a cell too few',
      ['Zoé', '', '7', '1'],
      { code: 'RowMalformed', key: null, message: 'has 4 cells, the header has 5' },
    ],
    [
      'a cell too many',
      ['Zoé', '', '7', '1', '', ''],
      {
        code: 'RowMalformed',
        message: expect.stringMatching(/^has 6 cells, the header has 5; what is too much is blank/),
      },
    ],
  ])('with %s is told why', (_, cells, problem) => {
    expect(map(type, header, cells)).toMatchObject({ problem });
  });
});

test('a key that does not convert is an invalid value without a key', () => {
  expect(map(numbered, ['nr'], ['x'])).toMatchObject({
    problem: { code: 'ValueInvalid', key: null, column: 'nr', value: 'x' },
  });
});

describe('an expression', () => {
  const type = entityType('id', made('id'), text('name', 'label'), made('shout'));
  const evaluators = (id: unknown, shout: unknown) => ({
    id: async () => id,
    shout: async () => shout,
  });

  test('sees the values of columns and of the expressions before it', async () => {
    const rows: unknown[] = [];
    const see = (result: string) => async (row: object) => {
      rows.push({ ...row });
      return result;
    };
    await map(type, ['label'], ['Zoé'], { id: see('7'), shout: see('ZOÉ') });
    expect(rows).toEqual([{ name: 'Zoé' }, { name: 'Zoé', id: '7' }]);
  });

  test.each<[string, unknown, unknown, object]>([
    ['no key', undefined, 'x', { code: 'KeyMissing', column: 'id', key: null }],
    ['an object', '7', { a: 1 }, { code: 'ValueInvalid', column: 'shout', value: null, key: '7' }],
    ['a list', '7', [1], { code: 'ValueInvalid' }],
    ['a function', '7', () => 1, { code: 'ValueInvalid' }],
  ])('that gives %s sets the row aside', async (_, id, shout, problem) => {
    expect(await map(type, ['label'], ['Zoé'], evaluators(id, shout))).toMatchObject({ problem });
  });

  test('that fails sets the row aside, with a key only if that was reached', async () => {
    const fails = async () => {
      throw new Error('no such function');
    };
    const late = await map(type, ['label'], ['Zoé'], { id: async () => '7', shout: fails });
    expect(late).toMatchObject({
      problem: {
        code: 'ValueInvalid',
        key: '7',
        message: 'shout the expression failed: no such function',
      },
    });
    const early = await map(type, ['label'], ['Zoé'], { id: fails, shout: async () => 'x' });
    expect(early).toMatchObject({ problem: { code: 'ValueInvalid', key: null, column: 'id' } });
  });
});

test('a property may have the name of something every object has', () => {
  const type = entityType('constructor', text('constructor', 'a'), text('toString', 'b'));
  expect(map(type, ['a', 'b'], ['1', 'x'])).toMatchObject({
    mapped: { key: '1', attributes: { constructor: '1', toString: 'x' } },
  });
  expect(map(type, ['a', 'b'], ['', 'x'])).toMatchObject({ problem: { code: 'KeyMissing' } });
});

describe('a header', () => {
  const header = new Header([' id', 'name', 'x', 'x', '']);

  test('tells which columns are missing and which are there twice', () => {
    expect(header.missing(['id', 'ID', 'gone'])).toEqual(['ID', 'gone']);
    expect(header.repeated(['id', 'x'])).toEqual(['x']);
    expect(header.position('name')).toBe(1);
    expect(() => header.position('gone')).toThrow(RangeError);
  });
});

describe('a row of an association', () => {
  const association: Association = {
    name: 'belongs',
    connector: 'sab',
    source: { name: 'belongs.csv', options: { file: 'belongs.csv' } },
    from: { entityType: 'thing', property: 'owners', column: 'thing' },
    to: { entityType: 'numbered', property: 'things', column: 'nr' },
    thresholds: {},
    drift: defaultDrift,
  };
  const known = new Map(targets).set('thing', entityType('id', text('id', 'id')));
  const mapRow = compileAssociationMapping(association, new Header(['nr', 'x', 'thing']), known);

  test('is the keys of both ends', () => {
    expect(mapRow(['007', '', ' a '])).toEqual({ mapped: { from: 'a', to: '7' } });
  });

  test.each<[string[], object]>([
    [['1', '', ' '], { code: 'KeyMissing', column: 'thing', message: 'thing is blank' }],
    [['', '', 'a'], { code: 'KeyMissing', column: 'nr' }],
    [['x', '', 'a'], { code: 'ValueInvalid', column: 'nr', value: 'x' }],
    [['1', ''], { code: 'RowMalformed' }],
  ])('%j is told why', (cells, problem) => {
    expect(mapRow(cells)).toMatchObject({ problem });
  });
});

test('a text refers to a resource by the format of its key', () => {
  expect(keyConversion(numbered)('007')).toEqual({ value: 7 });
});
