/** Maps every row of a connector's sources as a run would, and counts what a run would set aside. */
import type { ExtractedFile } from '../connectors/connector.ts';
import { readExtracted } from '../connectors/extraction.ts';
import { lookOf } from '../engine/alike-key.ts';
import { type CheckFact, isFine } from '../engine/check-fact.ts';
import type { EntityType } from '../engine/entity-type.ts';
import { KeySet, type KeyWords, keyWords } from '../engine/key-set.ts';
import { ProblemTally } from '../engine/problem-tally.ts';
import { type OnRecord, RecordScanner } from '../engine/record-scanner.ts';
import { sourcePlace } from '../engine/source-part.ts';
import { stagingPlace } from '../store/staging.ts';
import { MappedRows, type RejectedRow, type RowListener } from './mapped-rows.ts';
import { readHeader } from './mapped-source.ts';
import type { MappingTask } from './mapping-thread.ts';
import { RecordMapper } from './record-mapper.ts';
import type { CheckedFile, Mapping } from './source-headers.ts';

/** What a data check needs to know. */
export interface DataCheckRequest {
  /** Every mapping of the connector with the file of its source, whose columns are as mapped. */
  readonly sources: readonly (CheckedFile & { readonly mapping: Mapping })[];
  /** All entity types of the configuration. */
  readonly entityTypes: ReadonlyMap<string, EntityType>;
  /** Of these keys of an entity type, those that the store does not know. */
  readonly unknownKeys: (entityType: string, keys: readonly string[]) => Promise<Set<string>>;
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Looks at the data of one connector: keys that are blank or repeated, values that do not convert, references to what
 * is neither in these sources nor, of other connectors' entity types, in the store; keys that look alike. Some 40 bytes are
 * kept for each row.
 */
export async function checkData(request: DataCheckRequest): Promise<CheckFact[]> {
  const mapper = new RecordMapper();
  try {
    const targets = new Targets(request);
    const looks: Look[] = [];
    for (const source of request.sources.toSorted(entityTypesFirst)) {
      const look = new Look(source.mapping, targets);
      await mapAll(request, source, look, mapper);
      looks.push(look);
    }
    // Only now every key there is has been met.
    for (const look of looks) look.judgeWaiting();
    return looks.flatMap((look) => look.facts());
  } finally {
    await mapper.close();
  }
}

const entityTypesFirst = (a: { mapping: Mapping }, b: { mapping: Mapping }) =>
  Number(!('properties' in a.mapping)) - Number(!('properties' in b.mapping));

/** So many keys are asked for at once. */
const askedAtOnce = 1000;

/** What links may lead to: the keys met in these sources, and for other entity types the store. */
class Targets {
  readonly #request: DataCheckRequest;
  readonly #met = new Map<string, KeySet>();

  constructor(request: DataCheckRequest) {
    this.#request = request;
    for (const { mapping, file } of request.sources) {
      if ('properties' in mapping) this.#met.set(mapping.name, new KeySet(file.rows));
    }
  }

  /** The keys of an entity type of this connector; undefined when the store has to be asked. */
  metOf(entityType: string): KeySet | undefined {
    return this.#met.get(entityType);
  }

  async unknown(entityType: string, keys: readonly string[]): Promise<Set<string>> {
    const unknown = new Set<string>();
    for (let start = 0; start < keys.length; start += askedAtOnce) {
      const some = keys.slice(start, start + askedAtOnce);
      for (const key of await this.#request.unknownKeys(entityType, some)) unknown.add(key);
    }
    return unknown;
  }
}

/** A link that leads to an entity type: the column it is read from, and what is not known yet of it. */
class Reference {
  readonly column: string;
  readonly entityType: string;
  /** Three words each: the two of a key of this connector that was not met yet, and the line. */
  #waiting = new Uint32Array(0);
  #used = 0;
  /** Key of another connector → its lines in the batch at hand. */
  readonly #asked = new Map<string, number[]>();

  constructor(column: string, entityType: string) {
    this.column = column;
    this.entityType = entityType;
  }

  wait({ high, low }: KeyWords, line: number): void {
    if (this.#used === this.#waiting.length) {
      const larger = new Uint32Array(Math.max(3 << 8, this.#waiting.length * 2));
      larger.set(this.#waiting);
      this.#waiting = larger;
    }
    this.#waiting.set([high, low, line], this.#used);
    this.#used += 3;
  }

  ask(key: string, line: number): void {
    const lines = this.#asked.get(key) ?? [];
    lines.push(line);
    this.#asked.set(key, lines);
  }

  /** Lines whose target is not among the keys met. */
  *missingFrom(met: KeySet): Iterable<number> {
    for (let at = 0; at < this.#used; at += 3) {
      const [high, low, line] = this.#waiting.subarray(at, at + 3) as unknown as number[];
      if (!met.has({ high: high as number, low: low as number })) yield line as number;
    }
    this.#used = 0;
  }

  /** Lines whose target the store does not know. */
  async missingFromStore(targets: Targets): Promise<number[]> {
    if (this.#asked.size === 0) return [];
    const unknown = await targets.unknown(this.entityType, [...this.#asked.keys()]);
    const lines = [...unknown].flatMap((key) => this.#asked.get(key) ?? []);
    this.#asked.clear();
    return lines;
  }
}

/** The look at one source. */
class Look implements RowListener {
  readonly #mapping: Mapping;
  readonly #targets: Targets;
  readonly #tally = new ProblemTally();
  readonly #references: readonly Reference[];
  readonly #looks = new KeySet();
  #source = '';
  #parts: ExtractedFile['parts'];
  #rows = 0;

  constructor(mapping: Mapping, targets: Targets) {
    this.#mapping = mapping;
    this.#targets = targets;
    this.#references =
      'properties' in mapping
        ? mapping.properties.flatMap((property) =>
            property.kind === 'reference'
              ? [
                  new Reference(
                    property.origin.from === 'column' ? property.origin.column : property.name,
                    property.references,
                  ),
                ]
              : [],
          )
        : [mapping.from, mapping.to].map(
            ({ column, entityType }) => new Reference(column, entityType),
          );
  }

  /** What the mapping thread is told; references are numbered in their order. */
  task(header: readonly string[], delimiter: string, all: ReadonlyMap<string, EntityType>) {
    const mapping = this.#mapping;
    const common = { header, delimiter, id: 0, entityTypes: [...all.values()] };
    if (!('properties' in mapping)) {
      return { ...common, references: new Map(), association: mapping } satisfies MappingTask;
    }
    const names = mapping.properties.filter(({ kind }) => kind === 'reference');
    const references = new Map(names.map(({ name }, index) => [name, index]));
    return { ...common, references, entityType: mapping } satisfies MappingTask;
  }

  usable(keys: readonly Buffer[], line: number): void {
    this.#rows += 1;
    const [key] = keys as [Buffer];
    if (!('properties' in this.#mapping)) {
      for (const [end, each] of keys.entries()) this.reference(end, each, line);
      return;
    }
    if (!this.#targets.metOf(this.#mapping.name)?.add(keyWords(key))) {
      this.#tally.add('KeyDuplicate', this.#keyColumn, line);
    } else if (!this.#looks.add(keyWords(Buffer.from(lookOf(key.toString()))))) {
      this.#tally.add('KeysAlike', this.#keyColumn, line);
    }
  }

  rejected({ key, line, code, column }: RejectedRow): void {
    this.#rows += 1;
    this.#tally.add(code, column, line);
    // What leads to it is told of its target's own row.
    if (key !== null) this.#targets.metOf(this.#mapping.name)?.add(keyWords(key));
  }

  reference(index: number, target: Buffer, line: number): void {
    const reference = this.#references[index] as Reference;
    const met = this.#targets.metOf(reference.entityType);
    if (met === undefined) {
      reference.ask(target.toString(), line);
    } else {
      const words = keyWords(target);
      if (!met.has(words)) reference.wait(words, line);
    }
  }

  async settle(): Promise<void> {
    for (const reference of this.#references) {
      for (const line of await reference.missingFromStore(this.#targets)) {
        this.#tally.add('ReferenceUnknown', reference.column, line);
      }
    }
  }

  judgeWaiting(): void {
    for (const reference of this.#references) {
      const met = this.#targets.metOf(reference.entityType);
      if (met === undefined) continue;
      for (const line of reference.missingFrom(met)) {
        this.#tally.add('ReferenceUnknown', reference.column, line);
      }
    }
  }

  facts(): CheckFact[] {
    const { name: scope } = this.#mapping;
    const source = this.#source;
    const problems = this.#tally.problems(scope, source, (line) =>
      sourcePlace(source, this.#parts, line),
    );
    return problems.every(isFine)
      ? [{ fact: 'data-read', scope, source, rows: this.#rows }, ...problems]
      : problems;
  }

  /** Called before the first row. */
  begin({ source, parts }: ExtractedFile): void {
    this.#source = source;
    this.#parts = parts;
  }

  get kind(): 'rows' | 'links' {
    return 'properties' in this.#mapping ? 'rows' : 'links';
  }

  get #keyColumn(): string | null {
    if (!('properties' in this.#mapping)) return null;
    const { key, properties } = this.#mapping;
    const origin = properties.find(({ name }) => name === key)?.origin;
    return origin?.from === 'column' ? origin.column : key;
  }
}

async function mapAll(
  { entityTypes, onBytes, signal }: DataCheckRequest,
  { root, extraction, file }: CheckedFile,
  look: Look,
  mapper: RecordMapper,
): Promise<void> {
  const header = await readHeader(root, extraction, file);
  look.begin(file);
  const { beginning } = stagingPlace(look.kind, 0);
  const task = look.task(header.names, file.delimiter, entityTypes);
  const mapping = mapper.open({ task, first: null, beginning }, new MappedRows(look.kind, look));
  // Nothing is compared here.
  const noDigest = new Uint32Array(4);
  let inHeader = true;
  const onRecord: OnRecord = (scanned, start, end, line) => {
    if (inHeader) inHeader = false;
    else mapping.add(scanned, start, end, line, noDigest);
  };
  const scanner = new RecordScanner(file.delimiter, onRecord, file.countsRecords);
  for await (const chunk of readExtracted(root, extraction, file, signal)) {
    scanner.push(chunk);
    await mapping.flushIfFull();
    onBytes(chunk.length);
  }
  scanner.end();
  await mapping.end();
}
