/** What is written from the bytes of a record is what the mapping makes of its cells, byte by byte. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MappingTask } from '../../activities/mapping-thread.ts';
import { compilePlainRows } from '../../activities/plain-rows.ts';
import { parseRecords, RecordCursor } from '../../connectors/record-parser.ts';
import type { Association, EntityType, Property } from '../../engine/entity-type.ts';
import {
  compileAssociationMapping,
  compileEntityMapping,
  Header,
  type Mapped,
  type MappedLink,
  type MappedResource,
} from '../../engine/row-mapping.ts';
import type { ValueFormat } from '../../engine/value-format.ts';
import { attributeNames, RowWriter } from '../../store/row-writer.ts';

/** What every row begins with. */
const beginning = new RowWriter(16).row(5).int(7).take();

const none = { connector: 'hr', source: { name: 'x.csv' }, thresholds: {}, drift: {} };

function entityType(name: string, key: ValueFormat, properties: readonly Property[]): EntityType {
  const own: Property = {
    kind: 'scalar',
    name: 'code',
    origin: { from: 'column', column: 'Code' },
    format: key,
  };
  const fields = { name, key: 'code', properties: [own, ...properties], searchable: ['note'] };
  return { ...none, ...fields } as unknown as EntityType;
}

function scalar(name: string, format: ValueFormat): Property {
  return { kind: 'scalar', name, origin: { from: 'column', column: name }, format };
}

const team = entityType('team', { type: 'integer' }, []);
const person = entityType('person', { type: 'string' }, [
  scalar('note', { type: 'string' }),
  scalar('surname', { type: 'string' }),
  scalar('age', { type: 'integer' }),
  { kind: 'reference', name: 'team', origin: { from: 'column', column: 't' }, references: 'team' },
  {
    kind: 'reference',
    name: 'chief',
    origin: { from: 'column', column: 'c' },
    references: 'person',
  },
]);
const targets = new Map([team, person].map((type) => [type.name, type]));

const headers = { people: ['Code', 'note', 'surname', 'age', 't', 'c'], links: ['Code', 't'] };
const membership: Association = {
  ...none,
  name: 'membership',
  from: { entityType: 'person', property: 'teams', column: 'Code' },
  to: { entityType: 'team', property: 'people', column: 't' },
} as unknown as Association;

const shared = {
  delimiter: ',',
  id: 7,
  entityTypes: [team, person],
  references: new Map([
    ['team', 1],
    ['chief', 2],
  ]),
};

interface Kind {
  readonly task: MappingTask;
  readonly map: (cells: readonly string[]) => Mapped<MappedResource | MappedLink>;
}

const people: Kind = {
  task: { ...shared, header: headers.people, entityType: person },
  map: compileEntityMapping(person, new Header(headers.people), targets, new Map()) as Kind['map'],
};
const links: Kind = {
  task: { ...shared, header: headers.links, association: membership },
  map: compileAssociationMapping(membership, new Header(headers.links), targets),
};

function written({ task }: Kind, mapped: MappedResource | MappedLink): [string, string] {
  const [usable, references] = [new RowWriter(16), new RowWriter(16)];
  usable.again(beginning);
  if ('from' in mapped) {
    usable.text(mapped.from).text(mapped.to);
  } else {
    const names = attributeNames(person.properties.map(({ name }) => name));
    usable.text(mapped.key).attributes(names, mapped.attributes);
    for (const [property, id] of task.references) {
      const target = mapped.references[property];
      if (target !== undefined) references.row(3).int(id).text(mapped.key).text(target);
    }
  }
  return [hex(usable), hex(references)];
}

function hex(writer: RowWriter): string {
  return Buffer.from(writer.take()).toString('hex');
}

/** What becomes of records, one after another: what was written of it, or undefined where it is left to the mapping. */
function plainly({ task }: Kind, records: readonly string[]): ([string, string] | undefined)[] {
  const sink = { beginning, usable: new RowWriter(16), references: new RowWriter(16) };
  const write = compilePlainRows(task, sink);
  const bytes = Buffer.from(records.map((record) => `${record}\n`).join(''));
  let end = -1;
  const ends = Uint32Array.from(records, (record) => {
    end += Buffer.byteLength(record) + 1;
    return end;
  });
  const cursor = new RecordCursor(bytes, ends, task.delimiter);
  const done: ([string, string] | undefined)[] = [];
  while (cursor.next()) {
    const wrote = write?.(cursor) ?? false;
    const rows: [string, string] = [hex(sink.usable), hex(sink.references)];
    if (!wrote) expect(rows).toEqual(['', '']);
    done.push(wrote ? rows : undefined);
  }
  return done;
}

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 4, arbitrary: fc.nat({ max: 99_999 }).map(String) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...headers.people, 'Total', 'Summe: 12', '', '-', '007'),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\u0000', '\t', '\\', '\u001a#REF!', '\u00ad', '\u007f', '\ud800'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(250, 251, 1500, 1501).map((length) => 'x'.repeat(length)),
  },
);
const around = fc.constantFrom('', '', '', ' ', '\t', '\u00a0', '\ufeff', '\u2028');
const text = fc.tuple(around, piece, around).map((parts) => parts.join('').replaceAll('"', '“'));
const within = fc.constantFrom('', '', ',', '\n', '\r\n', '""');
const cell = fc.oneof(
  { weight: 5, arbitrary: text.map((plain) => plain.replaceAll(/[\r\n,]/g, ';')) },
  { weight: 1, arbitrary: fc.tuple(text, within, text).map((parts) => `"${parts.join('')}"`) },
);
const number = fc.oneof(
  { weight: 9, arbitrary: fc.nat().map(String) },
  { weight: 1, arbitrary: cell },
);

test.for<[string, Kind, readonly fc.Arbitrary<string>[]]>([
  ['resources', people, [cell, cell, cell, number, number, cell]],
  ['links', links, [cell, number]],
])('any record of %s: its row is that of the mapping, or it is left to it', ([, kind, row]) => {
  const record = fc
    .oneof(
      { weight: 9, arbitrary: fc.tuple(...row) },
      { weight: 1, arbitrary: fc.array(cell, { minLength: 1, maxLength: row.length + 1 }) },
    )
    .chain((cells) => fc.constantFrom('', '\r', '\r\r').map((end) => cells.join(',') + end));
  let plain = 0;
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
      for (const [index, rows] of plainly(kind, records).entries()) {
        if (rows === undefined) continue;
        plain += 1;
        const text = Buffer.from(records[index] as string)
          .toString()
          .replace(/\r+$/, '');
        const outcome = kind.map(parseRecords(text, ',')[0] as string[]);
        expect('mapped' in outcome && written(kind, outcome.mapped)).toEqual(rows);
      }
    }),
    { numRuns: 1000 },
  );
  expect(plain).toBeGreaterThan(500);
});

test.for([
  ['of plain texts', 'u1,a note,Doe,42,7,u2'],
  ['with quotes around cells', '"u1","a note, and more",Doe,42,"7","u2"'],
  ['with blanks', 'u1,,,,,'],
  ['at the end of a line of Windows', 'u1,a note,Doe,42,7,u2\r'],
  ['whose text is not of ASCII', 'u1,étude,Ångström,42,7,u2'],
  ['with something to escape', 'u1,a\\b\tc,Doe,42,7,u2'],
  ['with white space around cells', ' u1 , a note,Doe\u00a0, 42,7 , u2'],
  ['that begins like a total, or like the heading', 'sum,a note,Code,42,7,Code'],
])('a record %s needs no mapping', ([, record]) => {
  expect(plainly(people, [record as string])[0]).toBeDefined();
});

test.for([
  ['with quotes within a cell', 'u1,"a ""note""",Doe,42,7,u2'],
  ['whose quote does not close', 'u1,"a note,Doe,42,7,u2'],
  ['with something after a quote', 'u1,"a" note,Doe,42,7,u2'],
  ['of two lines', 'u1,a note\ru2,Doe,42,7,u2'],
  ['too short', 'u1,a note'],
  ['too long', 'u1,a note,Doe,42,7,u2,'],
  ['of a header once more', headers.people.join(',')],
  ['of totals', 'Total,12,13,42,7,8'],
  ['without a key', ' ,a note,Doe,42,7,u2'],
  ['with a value that does not convert', 'u1,a note,Doe,old,7,u2'],
  ['with a reference that is no key', 'u1,a note,Doe,42,seven,u2'],
  ['with the error of a formula', 'u1,\u001a#REF!,Doe,42,7,u2'],
  ['with a key that cannot be seen', 'u\u00ad1,a note,Doe,42,7,u2'],
  ['with a searchable value that is too long', `u1,${'x'.repeat(1501)},Doe,42,7,u2`],
])('a record %s is left to the mapping', ([, record]) => {
  expect(plainly(people, [record as string])).toEqual([undefined]);
});

test('an expression has to see its values', () => {
  const initials: Property = {
    kind: 'scalar',
    name: 'initial',
    origin: { from: 'expression', expression: '$substring(surname, 0, 1)' },
    format: { type: 'string' },
  };
  const type = { ...person, properties: [...person.properties, initials] };
  const sink = { beginning, usable: new RowWriter(16), references: new RowWriter(16) };
  const task = { ...people.task, entityType: type };
  expect(compilePlainRows(task as MappingTask, sink)).toBeUndefined();
});

test('a contract about the kinds of values has to see them, too', () => {
  const task = { ...people.task, kinds: new Map([['surname', 'text']]) } as MappingTask;
  const kind = { ...people, task };
  const [number, text] = plainly(kind, ['u1,a note,4711,42,7,u2', 'u1,a note,Doe,42,7,u2']);
  expect(number).toBeUndefined();
  expect(text).toEqual(plainly(people, ['u1,a note,Doe,42,7,u2'])[0]);
});
