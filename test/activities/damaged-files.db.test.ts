/** Damaged files against a store that holds people: every write, and every deletion, is one that the rows justify. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { mutatedCsv } from '../support/csv-mutations.ts';
import { type Outcome, readByTheBook } from '../support/csv-oracle.ts';
import { readAsWeDo } from '../support/csv-reading.ts';
import { openSyncBench } from '../support/sync-bench.ts';

const types = Array.from({ length: 16 }, (_, index) => `t${index}`);
const days = 4;

interface Damaged {
  readonly bytes: Buffer;
  /** What the oracle says of every row. */
  readonly rows: readonly Outcome[];
}

/** Damaged files that can be used in part. */
async function* usableFiles(directory: string): AsyncGenerator<Damaged> {
  for (let seed = 1_000_000; ; seed++) {
    const bytes = mutatedCsv(seed);
    const seen = await readAsWeDo(bytes, join(directory, String(seed))).catch(() => undefined);
    const justified = seen && readByTheBook(bytes, seen.delimiter);
    if (justified && 'rows' in justified) yield { bytes, rows: [...justified.rows.values()] };
  }
}

const document: ConfigurationDocument = {
  connectors: { sab: { kind: 'csv', directory: './sab', settle: 0 } },
  entityTypes: Object.fromEntries(
    types.map((name) => [
      name,
      {
        connector: 'sab',
        source: `${name}.csv`,
        key: 'id',
        properties: {
          id: { column: 'id' },
          name: { column: 'name' },
          pay: { column: 'pay', type: 'number' as const },
        },
      },
    ]),
  ),
};

test(`${types.length * days} damaged files, one after the other, write nothing that their rows do not justify (S2-04, S2-13)`, {
  timeout: 300_000,
}, async () => {
  await using bench = await openSyncBench(document);
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-damaged-'));
  const supply = usableFiles(directory);
  let before: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {};
  let kept = 0;
  for (let day = 0; day < days; day++) {
    const damaged = new Map<string, Damaged>();
    for (const name of types) damaged.set(name, (await supply.next()).value as Damaged);
    const job = await bench.sync(
      Object.fromEntries([...damaged].map(([name, { bytes }]) => [`${name}.csv`, bytes])),
    );
    const after = job.contents.resources as typeof before;
    for (const [name, file] of damaged) kept += judge(file, before[name] ?? {}, after[name] ?? {});
    before = after;
  }
  await supply.return(undefined);
  await rm(directory, { recursive: true });
  // Rows that were set aside did protect somebody.
  expect(kept).toBeGreaterThan(types.length / 4);
});

/** Compares the store before and after a file; gives how many were kept only because a row may stand for them. */
function judge(
  { bytes, rows }: Damaged,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): number {
  const hint = bytes.toString();
  const keyed = rows.flatMap((each) => ('key' in each ? [each] : []));
  const setAside = rows.flatMap((each) =>
    'code' in each && each.code !== 'KeyMissing' ? each.cells : [],
  );
  let kept = 0;
  for (const [key, attributes] of Object.entries(after)) {
    const own = keyed.filter((each) => each.key === key);
    // Of several rows of a key none counts; nor does one beside a row of the same key that is set aside.
    const says = own.length === 1 ? own[0]?.attributes : undefined;
    const allowed = [says, before[key]].filter((each) => each !== undefined);
    if (says !== undefined && !setAside.includes(key)) expect(attributes, hint).toEqual(says);
    else expect(allowed, hint).toContainEqual(attributes);
    if (own.length === 0) kept += 1;
  }
  for (const key of Object.keys(before)) {
    const mayStandFor = keyed.some((each) => each.key === key) || setAside.includes(key);
    expect(Object.hasOwn(after, key) || !mayStandFor, `${key} is gone: ${hint}`).toBe(true);
  }
  for (const { key } of keyed) {
    const once = keyed.filter((each) => each.key === key).length === 1;
    if (once && !setAside.includes(key)) expect(Object.hasOwn(after, key), hint).toBe(true);
  }
  return kept;
}
