/** CSV files that were damaged at random, the same ones for the same seed. */

/** Numbers from 0 to below 1 (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const plain = 'id,name,pay\n101,Ann,1.5\n102,Bob,2\n103,Cyd,\n104,Zoë 😀,-4.25\n105,,7\n';
const quoted =
  '"id","name","pay"\r\n"101","Ann ""A"" Smith","1.5"\r\n"102","two\nlines, one comma","2"\r\n103,"",3\r\n';
const semicolons =
  '\uFEFFsep=;\r\nid;name;pay\r\n101;A,nn;1\r\n102;"B;ob";2\r\n\r\n;;\r\nTotal;;3\r\n';

/** Where damage begins: files without a fault, but for the line of totals of one. */
const sound: readonly Buffer[] = [
  Buffer.from(plain),
  Buffer.from(quoted),
  Buffer.from(semicolons),
  Buffer.from(`name\textra\tpay\tid\n${'Dan\tx\t1\t201\n'.repeat(2)}Eve\t"y"\t2\t202\n`),
  Buffer.from(`\uFEFF${plain.replaceAll('\n', '\r\n')}`, 'utf16le'),
];

const snippets = [
  '"',
  '""',
  ',',
  ';',
  '\t',
  '\n',
  '\r',
  '\r\n',
  '\0',
  '\uFEFF',
  '\u200b',
  ' ',
  "'",
  '“',
  '\\',
  'id,name,pay\n',
  '\n101,Again,9\n',
  '\n"',
  '",',
  'Total,,',
  '=1+1',
  'NaN',
  '1e9',
  '１',
  'é',
  'e\u0301',
  '__proto__',
].map((text) => Buffer.from(text));

/** One damaged file. */
export function mutatedCsv(seed: number): Buffer {
  const random = randomNumbers(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  let bytes = sound[below(sound.length)] as Buffer;
  for (let left = 1 + below(4); left > 0; left--) bytes = mutated(bytes, below);
  return bytes;
}

function mutated(bytes: Buffer, below: (limit: number) => number): Buffer {
  const at = below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + below(12));
  const [before, part, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
  switch (below(9)) {
    case 0: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = (copy[at] as number) ^ (1 << below(8));
      return copy;
    }
    case 1:
      return Buffer.concat([before, snippets[below(snippets.length)] as Buffer, part, after]);
    case 2:
      return Buffer.concat([before, snippets[below(snippets.length)] as Buffer, after]);
    case 3:
      return Buffer.concat([before, after]);
    case 4:
      return Buffer.concat([before, part, part, after]);
    case 5:
      return below(4) === 0 ? Buffer.from(before) : Buffer.concat([bytes, part]);
    case 6:
      return Buffer.concat([before, Buffer.from([below(256)]), part, after]);
    case 7:
      // A line of its own, once more, somewhere else.
      return Buffer.concat([before, lineAt(bytes, below(bytes.length + 1)), part, after]);
    default:
      return Buffer.concat([after, part, before].slice(below(3)));
  }
}

function lineAt(bytes: Buffer, at: number): Buffer {
  const start = bytes.lastIndexOf(0x0a, Math.max(0, at - 1)) + 1;
  const end = bytes.indexOf(0x0a, at);
  return bytes.subarray(start, end === -1 ? bytes.length : end + 1);
}
