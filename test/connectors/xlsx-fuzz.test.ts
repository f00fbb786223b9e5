/** Mutated workbooks: whatever a file says, the export ends with rows or an error that names what to mend. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ExtractedFile } from '../../connectors/connector.ts';
import { createXlsxConnector } from '../../connectors/xlsx/xlsx-connector.ts';
import { LockstepError } from '../../engine/errors.ts';
import { textRows, workbookParts, zip } from '../support/workbook.ts';
import { exportInto } from './conformance.ts';

/** `LOCKSTEP_FUZZ=10000` for the long run; the short one also ends when its time is up. */
const files = Number(process.env['LOCKSTEP_FUZZ'] ?? 3000);
const milliseconds = process.env['LOCKSTEP_FUZZ'] === undefined ? 7_000 : Number.POSITIVE_INFINITY;

/** Mulberry32: the same mutations at every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const parts = workbookParts({
  sheets: {
    Staff: `${textRows([
      ['id', 'name', 'born'],
      ['1', 'Zoé', ''],
      ['2', 'a,"b"', ''],
    ])}<row r="5"><c r="A5" t="s"><v>0</v></c><c r="B5" t="b"><v>1</v></c><c r="C5" s="1"><f>TODAY()</f><v>45356.25</v></c></row><row><c><v>1.5E3</v></c><c t="e"><v>#N/A</v></c><c t="d"><v>2024-03-05</v></c></row>`,
    Other: textRows([['x'], ['1']]),
  },
  strings: ['<t>00017</t>', '<r><t>a</t></r><rPh><t>b</t></rPh>'],
  formats: [14, 'h:mm', '[h]:mm'],
});

const pieces = [
  '',
  '<',
  '>',
  '"',
  '&',
  '/',
  '&amp;',
  '&#0;',
  '&#x1A;',
  '_x0000_',
  '-1',
  '0',
  '1E999',
  '99999999999',
  'XFE1',
  'A1',
  ' t="s"',
  ' t="e"',
  ' r="1"',
  ' s="99"',
  '<v>',
  '</v>',
  '<f/>',
  '<row>',
  '</row>',
  '<c/>',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '<?x ?>',
  '<!DOCTYPE a>',
  '\u0000',
  '\uFFFF',
  '\uD800',
  'xmlns=""',
  'xmlns:r="urn:x"',
  '../',
  'TargetMode="External"',
  '1904',
  'é',
];

type Random = (below: number) => number;

/** Puts a piece in place of a few characters of one part. */
function mutatedXml(random: Random): Buffer {
  const mutated: Record<string, string | Buffer> = { ...parts };
  const names = Object.keys(parts);
  for (let edits = 1 + random(3); edits > 0; edits--) {
    const name = names[random(names.length)] as string;
    const text = String(mutated[name]);
    const at = random(text.length);
    const piece = pieces[random(pieces.length)] as string;
    const twice = random(8) === 0 ? text.slice(at, at + random(200)) : '';
    mutated[name] = text.slice(0, at) + piece + twice + text.slice(at + random(12));
  }
  return zip(mutated);
}

const whole = zip(parts);

/** Changes, repeats or leaves out bytes of the archive. */
function mutatedBytes(random: Random): Buffer {
  let bytes = Buffer.from(whole);
  for (let edits = 1 + random(4); edits > 0; edits--) {
    const at = random(bytes.length);
    const kind = random(4);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes[at] = (bytes[at] as number) ^ (1 << random(8));
    else if (kind === 2)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(20))]);
    else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(at + 1))]);
  }
  return bytes;
}

test('a mutated workbook gives rows or says what is wrong, and damaged bytes never give other rows', {
  timeout: milliseconds === 7_000 ? 60_000 : 3_600_000,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-fuzz-'));
  const connector = createXlsxConnector({ directory });
  const random = createRandom(Number(process.env['LOCKSTEP_FUZZ_SEED'] ?? 20_261_122));
  const outcomes = new Map<string, number>();
  await writeFile(join(directory, 'fuzz.xlsx'), whole);
  const sound = await outcomeOf(connector, -1);
  const end = Date.now() + milliseconds;
  let nth = 0;
  for (; nth < files && Date.now() < end; nth++) {
    const bytes = nth % 2 === 0 ? mutatedXml(random) : mutatedBytes(random);
    await writeFile(join(directory, 'fuzz.xlsx'), bytes);
    const outcome = await outcomeOf(connector, nth);
    // A checksum guards every part, so damage gives the rows there were or none.
    if (nth % 2 === 1 && outcome.startsWith('rows')) expect(outcome, `mutation ${nth}`).toBe(sound);
    const [kind = ''] = outcome.split(' ');
    outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
  }
  await rm(directory, { recursive: true });
  const kinds = ['SourceUnreadable', 'rows'];
  // The rarest of the three does not come up in the few that a busy machine has time for.
  if (nth > 1000 || outcomes.has('SourceEmpty')) kinds.unshift('SourceEmpty');
  expect([...outcomes.keys()].sort()).toEqual(kinds);
  expect(nth).toBeGreaterThan(100);
});

async function outcomeOf(
  connector: ReturnType<typeof createXlsxConnector>,
  nth: number,
): Promise<string> {
  const signal = AbortSignal.timeout(5000);
  try {
    let sha256 = '';
    const use = async (_: string, [file]: ExtractedFile[]) => {
      sha256 = file?.sha256 ?? '';
    };
    await exportInto(connector, ['fuzz.xlsx'], use, { signal });
    return `rows ${sha256}`;
  } catch (error) {
    if (error instanceof LockstepError) return error.code;
    throw new Error(`mutation ${nth} ended otherwise`, { cause: error });
  }
}
