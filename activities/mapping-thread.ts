/** The thread that parses and maps new records: apart from the worker, so that no expression can stop or see it. */
import { parentPort, workerData } from 'node:worker_threads';
import { compileExpression } from '../connectors/expression.ts';
import { parseEach } from '../connectors/record-parser.ts';
import type { Association, EntityType } from '../engine/entity-type.ts';
import { digestText } from '../engine/record-digest.ts';
import {
  compileAssociationMapping,
  compileEntityMapping,
  type Evaluate,
  Header,
  keyConversion,
  type Mapped,
  type MappedLink,
  type MappedResource,
  type RowProblem,
} from '../engine/row-mapping.ts';
import type { Convert } from '../engine/value-format.ts';
import { copyText } from '../store/copy.ts';

/** What the records of one source become; sent before its first batch. */
export type MappingTask = {
  readonly header: readonly string[];
  readonly delimiter: string;
  /** Id of the entity type or navigation property in the store. */
  readonly id: number;
  /** Every entity type that may be referenced. */
  readonly entityTypes: readonly EntityType[];
} & ({ readonly entityType: EntityType } | { readonly association: Association });

/** Raw records of one source, laid end to end with a line feed after each. */
export interface RecordBatch {
  readonly bytes: Uint8Array;
  /** Where each record ends, its line feed not counted. */
  readonly ends: Uint32Array;
  readonly lines: Uint32Array;
  /** Four words a record. */
  readonly digests: Uint32Array;
}

export type ToThread = { readonly task: MappingTask } | { readonly batch: RecordBatch };

/** Rows in COPY's text format, in the column order of the staging tables. */
export interface FromThread {
  readonly rows: Uint8Array;
}

/** Shared with the worker: [0] line at work, [1] rows done, [2] index of the expression property at work, -1 for none. */
export interface MappingThreadData {
  readonly pulse: Int32Array;
}

const { pulse } = workerData as MappingThreadData;

type MapCells = (
  cells: readonly string[],
) => Mapped<MappedResource | MappedLink> | Promise<Mapped<MappedResource | MappedLink>>;

interface Current {
  readonly task: MappingTask;
  readonly map: MapCells;
  /** What a text is as a key of the rows, or of either end of an association. */
  readonly keyConversions: readonly Convert[];
}

let current: Current | undefined;
// Expressions are asynchronous: without a queue the batches would overtake one another.
let queue = Promise.resolve();

parentPort?.on('message', (message: ToThread) => {
  queue = queue.then(() => handle(message));
});

async function handle(message: ToThread): Promise<void> {
  if ('task' in message) {
    current = compile(message.task);
    return;
  }
  const rows = await mapBatch(current as Current, message.batch);
  parentPort?.postMessage({ rows } satisfies FromThread, [rows.buffer as ArrayBuffer]);
}

function compile(task: MappingTask): Current {
  const header = new Header(task.header);
  const targets = new Map(task.entityTypes.map((type) => [type.name, type]));
  if ('association' in task) {
    const { association } = task;
    const ends = [association.from, association.to].map((end) => targets.get(end.entityType));
    return {
      task,
      map: compileAssociationMapping(association, header, targets),
      keyConversions: ends.map((type) => keyConversion(type as EntityType)),
    };
  }
  const { entityType } = task;
  const evaluators = new Map<string, Evaluate>();
  for (const [index, { name, origin }] of entityType.properties.entries()) {
    if (origin.from === 'expression')
      evaluators.set(name, createEvaluator(origin.expression, index));
  }
  const map = compileEntityMapping(entityType, header, targets, evaluators);
  return { task, map, keyConversions: [keyConversion(entityType)] };
}

/** Says on the pulse which expression is at work, so that the worker can tell one that hangs. */
function createEvaluator(expression: string, index: number): Evaluate {
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

async function mapBatch(mapping: Current, batch: RecordBatch): Promise<Uint8Array> {
  const { task, map } = mapping;
  const { bytes, ends, lines, digests } = batch;
  const records = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (const [index, cells] of parseEach(records, ends, task.delimiter).entries()) {
    const line = lines[index] as number;
    Atomics.store(pulse, 0, line);
    const digest = digestText(digests, index * 4);
    const start = index === 0 ? 0 : (ends[index - 1] as number) + 1;
    const record = () => records.toString('utf8', start, ends[index]);
    const outcome = cells === null ? { problem: malformed() } : map(cells);
    const mapped = outcome instanceof Promise ? await outcome : outcome;
    const seen = cells ?? roughCells(record(), task.delimiter);
    text += encode(mapping, withRawRow(mapped, record), digest, line, seen);
    Atomics.add(pulse, 1, 1);
  }
  return new TextEncoder().encode(text);
}

function malformed(): RowProblem {
  const message =
    'has a quote in the middle of a cell; quotes stand around a whole cell and are doubled inside it';
  return { code: 'RowMalformed', key: null, column: null, value: null, message };
}

/** What the cells may be: enough to know which stored resources a malformed row may stand for. */
function roughCells(record: string, delimiter: string): string[] {
  return record.split(delimiter).map((cell) => cell.trim().replaceAll('"', ''));
}

/** Of a malformed row no cell is sure, so its reject quotes the row, as far as a person would read it. */
function withRawRow<T>(outcome: Mapped<T>, record: () => string): Mapped<T> {
  if (!('problem' in outcome) || outcome.problem.code !== 'RowMalformed') return outcome;
  return { problem: { ...outcome.problem, value: record().slice(0, 1000) } };
}

function encode(
  { task, keyConversions }: Current,
  outcome: Mapped<MappedResource | MappedLink>,
  digest: string,
  line: number,
  cells: readonly string[],
): string {
  const fields =
    'mapped' in outcome
      ? usable(outcome.mapped)
      : rejected(task, outcome.problem, held(keyConversions, cells));
  const { identity, content, references, code, column, value, message } = fields;
  const columns =
    'association' in task ? [...identity, content] : [identity[0] ?? null, content, references];
  return `${[task.id, ...columns, digest, line, code, column, value, message].map(copyText).join('\t')}\n`;
}

interface StagedFields {
  /** The key of a resource, or both keys of a link. */
  readonly identity: readonly (string | null)[];
  readonly content: string | null;
  readonly references: string | null;
  readonly code: string | null;
  readonly column: string | null;
  readonly value: string | null;
  readonly message: string | null;
}

const noProblem = { code: null, column: null, value: null, message: null };

function usable(mapped: MappedResource | MappedLink): StagedFields {
  if ('from' in mapped) {
    return { identity: [mapped.from, mapped.to], content: null, references: null, ...noProblem };
  }
  return {
    identity: [mapped.key],
    content: JSON.stringify(mapped.attributes),
    references: JSON.stringify(mapped.references),
    ...noProblem,
  };
}

const printable = (text: string) => text.replaceAll('\u0000', '\uFFFD');

/** The cells as they are and as keys: they hold the stored resources that a row of unknown key may stand for. */
function held(keyConversions: readonly Convert[], cells: readonly string[]): string[] {
  const values = new Set<string>();
  for (const cell of cells) {
    const text = printable(cell.trim());
    values.add(text);
    for (const convert of keyConversions) {
      const conversion = convert(text);
      if ('value' in conversion) values.add(String(conversion.value));
    }
  }
  return [...values];
}

/** A rejected row, with what its cells may stand for, as long as its key is not known. A blank key stands for nobody. */
function rejected(
  task: MappingTask,
  problem: RowProblem,
  mayStandFor: readonly string[],
): StagedFields {
  const { key, code, column, value, message } = problem;
  const kept = key === null && code !== 'KeyMissing' ? JSON.stringify(mayStandFor) : null;
  const identity = 'association' in task ? [null, null] : [key];
  return {
    identity,
    content: kept,
    references: null,
    code,
    column,
    value: value === null ? null : printable(value),
    message,
  };
}
