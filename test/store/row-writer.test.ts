/** Rows for COPY: attributes come out as the JSON that JSON.stringify would make of them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attributeNames, RowWriter } from '../../store/row-writer.ts';

const text = fc.string({
  unit: fc.constantFrom('a', 'Z', '7', ' ', '"', '\\\\', '\\n', 'é', '\u2028', '😀', '\u007f'),
});
const value = fc.oneof(
  text,
  fc.string({ maxLength: 100 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
);
const names = ['key', 'toString', 'constructor', 'ünï "quoted"', 'n'] as const;
/** As `select jsonb_object_agg(…)` gives them: shorter ones first, by bytes of UTF-8. */
const inOrderOfJsonb = ['n', 'key', 'toString', 'constructor', 'ünï "quoted"'] as const;

test('any values of any of the properties', () => {
  const all = attributeNames(names);
  // One writer for all: it has to make room, and to begin anew.
  const writer = new RowWriter(8);
  fc.assert(
    fc.property(
      fc.subarray([...names]),
      fc.array(value, { minLength: 5, maxLength: 5 }),
      (present, values) => {
        const attributes = Object.fromEntries(
          inOrderOfJsonb
            .filter((name) => present.includes(name))
            .map((name, nth) => [name, values[nth] as string]),
        );
        const bytes = Buffer.from(writer.attributes(all, attributes).int(7).take());
        const length = bytes.readInt32BE(0);
        expect(bytes[4]).toBe(1);
        expect(bytes.toString('utf8', 5, 4 + length)).toBe(JSON.stringify(attributes));
        expect(bytes.readInt32BE(4 + length + 4)).toBe(7);
      },
    ),
    { numRuns: 2000 },
  );
});
