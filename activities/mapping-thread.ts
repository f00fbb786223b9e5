/** The thread that parses and maps new records: apart from the worker, so that no expression can stop or see it. */
import { parentPort, workerData } from 'node:worker_threads';
import { RecordCursor } from '../connectors/record-parser.ts';
import { DigestSum, type SummedDigests } from '../engine/digest-sum.ts';
import type { Association, EntityType } from '../engine/entity-type.ts';
import { FingerprintSet } from '../engine/fingerprint-set.ts';
import { PairSet } from '../engine/pair-set.ts';
import {
  compileAssociationMapping,
  compileEntityMapping,
  type Evaluate,
  Header,
  keyConversion,
  type Mapped,
  type MappedLink,
  type MappedResource,
} from '../engine/row-mapping.ts';
import type { Convert } from '../engine/value-format.ts';
import {
  type AttributeName,
  attributeNames,
  RowWriter,
  type StagedPart,
  stagedParts,
} from '../store/row-writer.ts';
import { PickedRecords, type RecordPick } from './picked-records.ts';
import { compilePlainRows, type WritePlain } from './plain-rows.ts';
import { buffersOf, type RecordBatch } from './record-batch.ts';
import {
  held,
  malformed,
  type Place,
  roughCells,
  withRawRow,
  writeRejected,
} from './rejected-record.ts';

/** What the records of one source become; sent before its first batch. */
export type MappingTask = {
  readonly header: readonly string[];
  readonly delimiter: string;
  /** Id of the entity type or navigation property in the store. */
  readonly id: number;
  /** Every entity type that may be referenced. */
  readonly entityTypes: readonly EntityType[];
  /** Reference property → id of its navigation property in the store. */
  readonly references: ReadonlyMap<string, number>;
  /** Property → the kind of text it takes only, where its drift contract rejects any other. */
  readonly kinds?: ReadonlyMap<string, string>;
} & ({ readonly entityType: EntityType } | { readonly association: Association });

/** Sources are numbered, and several may be open at once. */
export type ToThread =
  | {
      readonly source: number;
      readonly task: MappingTask;
      /** How many records there are if nothing of their kind was ever loaded; then whether a key repeats is asked here. */
      readonly first: number | null;
      /** What every usable row begins with. */
      readonly beginning: Uint8Array;
    }
  | { readonly source: number; readonly batch: RecordBatch }
  /** Its records are to be read here, a batch each time that one is asked for. */
  | { readonly source: number; readonly pick: RecordPick }
  | { readonly source: number; readonly next: true }
  | { readonly ended: number };

export type FromThread = MappedBatch | FailedPick;

/** The file of picked records cannot be read. */
export interface FailedPick {
  readonly source: number;
  readonly failure: string;
  /** Of the system, as `ENOENT`. */
  readonly code: string | undefined;
}

/** Rows for COPY, in the order of the columns that a `StagingPlace` names. */
export interface MappedBatch {
  readonly source: number;
  /** How many records they were made from. */
  readonly records: number;
  /** There are no more to be picked: whatever else was asked for is not answered. */
  readonly isOver: boolean;
  readonly rows: Record<StagedPart, Uint8Array<ArrayBuffer>>;
  /** In a first load: a key, or the keys of a link, may have come before in this source. */
  readonly mayRepeat: boolean;
  /** Of links in a first load: an end may be none of the resources that the same job loads for the first time. */
  readonly mayDangle: boolean;
  /** In a first load: the usable rows of this source so far. */
  readonly usable: SummedDigests | null;
}

/**
 * Shared with the worker: [0] line at work, [1] rows done, [2] index of the expression property at work, -1 for none,
 * [3] number of the source at work.
 */
export interface MappingThreadData {
  readonly pulse: Int32Array;
}

const { pulse } = workerData as MappingThreadData;

type MapCells = (
  cells: readonly string[],
) => Mapped<MappedResource | MappedLink> | Promise<Mapped<MappedResource | MappedLink>>;

interface OpenSource {
  readonly task: MappingTask;
  /** Of a first load only: what has come, but for links that `pairs` know. */
  readonly fingerprints: FingerprintSet | null;
  readonly beginning: Uint8Array;
  readonly attributes: readonly AttributeName[];
  /** The keys of both ends of an association, if all of them came in this first load. */
  readonly ends: readonly [FingerprintSet, FingerprintSet] | null;
  /** Links between such ends, which are told apart by the places of their keys: half the memory of fingerprints. */
  readonly pairs: PairSet | undefined;
  mayDangle: boolean;
  /** Of a first load only: the rows that were written. */
  readonly usable: DigestSum | null;
  readonly map: MapCells;
  /** Undefined where every record needs `map`. */
  readonly writePlain: WritePlain | undefined;
  /** Where its records are read here. */
  picked: PickedRecords | undefined;
  /** What a text is as a key of the rows, or of either end of an association. */
  readonly keyConversions: readonly Convert[];
}

const open = new Map<number, OpenSource>();
/** Entity type → the keys of all its rows, in a first load without any reject. */
const loadedKeys = new Map<string, FingerprintSet>();
// Expressions are asynchronous: without a queue the batches would overtake one another.
let queue = Promise.resolve();

parentPort?.on('message', (message: ToThread) => {
  queue = queue.then(() => handle(message));
});

async function handle(message: ToThread): Promise<void> {
  if ('ended' in message) {
    closePicked(open.get(message.ended));
    open.delete(message.ended);
    return;
  }
  const { source } = message;
  if ('task' in message) return await begin(message);
  const mapping = open.get(source) as OpenSource;
  if ('pick' in message) mapping.picked = new PickedRecords(message.pick);
  else if ('batch' in message) await answer(source, mapping, message.batch);
  else await answerNext(source, mapping);
}

/** After the last of the records that were picked, or a failure, nothing more is answered. */
async function answerNext(source: number, mapping: OpenSource): Promise<void> {
  if (mapping.picked === undefined) return;
  let batch: RecordBatch | undefined;
  try {
    batch = mapping.picked.next();
  } catch (error) {
    closePicked(mapping);
    const { message: failure, code } = error as NodeJS.ErrnoException;
    parentPort?.postMessage({ source, failure, code } satisfies FailedPick);
    return;
  }
  if (batch === undefined) closePicked(mapping);
  await answer(source, mapping, batch);
}

function closePicked(mapping: OpenSource | undefined): void {
  mapping?.picked?.[Symbol.dispose]();
  if (mapping) mapping.picked = undefined;
}

async function begin({
  source,
  task,
  first,
  beginning,
}: Extract<ToThread, { task: MappingTask }>): Promise<void> {
  const ends = endsOf(task);
  const pairs =
    ends && first !== null ? PairSet.of(first, ends[0].places, ends[1].places) : undefined;
  const fingerprints = first === null ? null : new FingerprintSet(pairs ? 0 : first);
  const { properties } = 'entityType' in task ? task.entityType : { properties: [] };
  const attributes = attributeNames(properties.map(({ name }) => name));
  open.set(source, {
    ...(await compile(task, beginning)),
    fingerprints,
    beginning,
    attributes,
    picked: undefined,
    ends,
    pairs,
    mayDangle: false,
    usable: first === null ? null : new DigestSum(),
  });
  if (fingerprints && 'entityType' in task) loadedKeys.set(task.entityType.name, fingerprints);
}

async function answer(
  source: number,
  mapping: OpenSource,
  batch: RecordBatch | undefined,
): Promise<void> {
  Atomics.store(pulse, 3, source);
  if (batch) await mapBatch(mapping, batch);
  const taken = stagedParts.map((part) => [part, writers[part].take()] as const);
  const mapped: MappedBatch = {
    source,
    records: batch?.ends.length ?? 0,
    isOver: batch === undefined,
    rows: Object.fromEntries(taken) as MappedBatch['rows'],
    mayRepeat: (mapping.fingerprints?.mayRepeat || mapping.pairs?.mayRepeat) ?? false,
    mayDangle: mapping.mayDangle,
    usable: mapping.usable?.summed ?? null,
  };
  // Left to the collector, batches pile up: plain rows leave it nothing else to collect.
  if (batch) for (const buffer of buffersOf(batch)) buffer.transfer(0);
  parentPort?.postMessage(
    mapped,
    taken.map(([, { buffer }]) => buffer),
  );
}

const writers = {
  usable: new RowWriter(1 << 20),
  rejected: new RowWriter(1 << 12),
  references: new RowWriter(1 << 12),
} satisfies Record<StagedPart, RowWriter>;

async function compile(
  task: MappingTask,
  beginning: Uint8Array,
): Promise<Pick<OpenSource, 'task' | 'map' | 'writePlain' | 'keyConversions'>> {
  const header = new Header(task.header);
  const targets = new Map(task.entityTypes.map((type) => [type.name, type]));
  const writePlain = compilePlainRows(task, { beginning, ...writers });
  if ('association' in task) {
    const { association } = task;
    const ends = [association.from, association.to].map((end) => targets.get(end.entityType));
    return {
      task,
      map: compileAssociationMapping(association, header, targets),
      writePlain,
      keyConversions: ends.map((type) => keyConversion(type as EntityType)),
    };
  }
  const { entityType } = task;
  const evaluators = new Map<string, Evaluate>();
  for (const [index, { name, origin }] of entityType.properties.entries()) {
    if (origin.from === 'expression') {
      evaluators.set(name, await createEvaluator(origin.expression, index));
    }
  }
  const map = compileEntityMapping(entityType, header, targets, evaluators, task.kinds);
  return { task, map, writePlain, keyConversions: [keyConversion(entityType)] };
}

function endsOf(task: MappingTask): OpenSource['ends'] {
  if (!('association' in task)) return null;
  const [from, to] = [task.association.from, task.association.to].map(({ entityType }) =>
    loadedKeys.get(entityType),
  );
  return from && to && !from.mayRepeat && !to.mayRepeat ? [from, to] : null;
}

/** Says on the pulse which expression is at work, so that the worker can tell one that hangs. */
async function createEvaluator(expression: string, index: number): Promise<Evaluate> {
  // Most tasks have none, and its library takes as long to load as all else here.
  const { compileExpression } = await import('../connectors/expression.ts');
  const evaluate = compileExpression(expression);
  return async (row) => {
    Atomics.store(pulse, 2, index);
    try {
      return await evaluate(row);
    } finally {
      Atomics.store(pulse, 2, -1);
    }
  };
}

async function mapBatch(mapping: OpenSource, batch: RecordBatch): Promise<void> {
  const { task, map, writePlain } = mapping;
  const { bytes, ends, lines, digests } = batch;
  const { usable } = writers;
  const records = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const record = new RecordCursor(records, ends, task.delimiter);
  while (record.next()) {
    const place: Place = { line: lines[record.index] as number, digests, at: record.index * 4 };
    const row = usable.length;
    if (writePlain?.(record)) {
      endUsable(mapping, row, place);
      continue;
    }
    Atomics.store(pulse, 0, place.line);
    const cells = record.cells();
    const outcome = cells === null ? { problem: malformed(record.text) } : map(cells);
    const mapped = outcome instanceof Promise ? await outcome : outcome;
    if ('mapped' in mapped) {
      writeUsable(mapping, mapped.mapped, place);
    } else {
      const { text } = record;
      const seen = cells ?? roughCells(text, task.delimiter);
      const mayStandFor = held(mapping.keyConversions, seen);
      const { key } = mapped.problem;
      if (key !== null) mapping.fingerprints?.add(Buffer.from(key), 0, Buffer.byteLength(key));
      // Its key may be among the fingerprints, and yet there will be no resource of it.
      if ('entityType' in task) loadedKeys.delete(task.entityType.name);
      writeRejected(writers.rejected, task, withRawRow(mapped.problem, text), mayStandFor, place);
    }
    Atomics.add(pulse, 1, 1);
  }
}

function writeUsable(mapping: OpenSource, mapped: MappedResource | MappedLink, place: Place): void {
  const { task, beginning, attributes } = mapping;
  const { usable, references } = writers;
  const row = usable.length;
  usable.again(beginning);
  if ('from' in mapped) usable.text(mapped.from).text(mapped.to);
  else usable.text(mapped.key).attributes(attributes, mapped.attributes);
  endUsable(mapping, row, place);
  if ('from' in mapped) return;
  for (const [property, id] of task.references) {
    const target = mapped.references[property];
    if (target !== undefined) references.row(3).int(id).text(mapped.key).text(target);
  }
}

/** Ends a row that began at `row`; of a first load it is noted by its keys, which come after the beginning. */
function endUsable(mapping: OpenSource, row: number, { line, digests, at }: Place): void {
  const { task, beginning, usable: sum, fingerprints } = mapping;
  const { usable } = writers;
  if (sum !== null) {
    sum.add(digests, at);
    const start = row + beginning.length;
    const end = usable.fieldEnd(start);
    if ('association' in task) noteLink(mapping, start + 4, end, usable.fieldEnd(end));
    else fingerprints?.add(usable.bytes, start + 4, end);
  }
  usable.uuid(digests, at).int(line);
}

/** Notes whether a link may have come before, and whether an end of it may be unknown. */
function noteLink(mapping: OpenSource, start: number, end: number, otherEnd: number): void {
  const { fingerprints, ends, pairs } = mapping;
  const { bytes } = writers.usable;
  const fromPlace = ends ? ends[0].placeOf(bytes, start, end) : -1;
  const toPlace = ends ? ends[1].placeOf(bytes, end + 4, otherEnd) : -1;
  const areKnown = fromPlace !== -1 && toPlace !== -1;
  if (areKnown && pairs) pairs.add(fromPlace, toPlace);
  else fingerprints?.add(bytes, start, end, end + 4, otherEnd);
  mapping.mayDangle ||= !areKnown;
}
