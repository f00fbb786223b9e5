/** A source as SQL of PostgreSQL: its statement, its columns as text, and which of its rows are asked for. */
import pg from 'pg';
import { LockstepError } from '../../engine/errors.ts';
import type { QuerySource, Source, Watermark } from '../../engine/source.ts';
import { type WatermarkSql, watermarkSql } from './postgresql-watermark.ts';

/** A column of a source. */
export interface Column {
  readonly name: string;
  /** As `format_type` names it. */
  readonly type: string;
  /** Nested values become JSON. */
  readonly nested: boolean;
  /** What {@link from} calls it. */
  readonly alias: string;
}

/** A source as SQL: a statement with its columns. */
export interface Relation {
  readonly source: Source<QuerySource>;
  readonly statement: string;
  readonly columns: readonly Column[];
  /** SQL: true of a row that is marked as deleted, never null. */
  readonly isDeleted: string;
  readonly watermark: (WatermarkSql & { readonly value: string }) | undefined;
}

/** SQL: the statement of a source, without the semicolon that many people end one with. */
export function statementOf({ relation, watermark }: QuerySource): string {
  if ('query' in relation) return relation.query.replace(/;\s*$/, '');
  const table = relation.table.map((part) => pg.escapeIdentifier(part)).join('.');
  return `select ${watermark?.column === systemColumn ? `${systemColumn}, ` : ''}* from ${table}`;
}

/** The id of the transaction that wrote a row; it is no part of `*`. */
const systemColumn = 'xmin';

export function relationOf(source: Source<QuerySource>, columns: readonly Column[]): Relation {
  const { name, options } = source;
  const { watermark, deleted } = options;
  const stamped = watermark && requireColumn(name, columns, watermark.column, 'watermark');
  return {
    source,
    statement: statementOf(options),
    columns,
    isDeleted: deleted === undefined ? 'false' : deletedTest(name, columns, deleted),
    watermark: stamped && {
      ...watermarkSql(name, watermark as Watermark, stamped.type),
      value: stamped.alias,
    },
  };
}

/** SQL: the rows of a source, their columns by their aliases. */
export function from({ statement, columns }: Pick<Relation, 'statement' | 'columns'>): string {
  return `from (${statement}\n) q(${columns.map(({ alias }) => alias).join(', ')})`;
}

/** SQL: the columns of the extraction, as text; the system column of a table is none of them. */
export function selected({ columns, source }: Relation): string {
  const { relation, watermark } = source.options;
  const hidden = 'table' in relation && watermark?.column === systemColumn ? 1 : 0;
  return columns
    .slice(hidden)
    .map((column) => `${textOf(column)} as ${pg.escapeIdentifier(column.name)}`)
    .join(', ');
}

/**
 * SQL: true of a row that may have changed since a cursor, or whose key another such row has. Of rows with the same key
 * nobody can tell which one counts without the others.
 */
export function concerned(relation: Relation, position: string): string {
  const { source, columns, watermark } = relation;
  const changed = watermark?.changed(watermark.value, position) ?? 'true';
  const identity = (source.options.identity ?? []).map((name) =>
    columns.find((column) => column.name === name),
  );
  if (identity.length === 0 || identity.includes(undefined)) return changed;
  const key = identity.map((column) => column?.alias).join(', ');
  return `(${key}) in (select ${key} ${from(relation)} where ${changed})`;
}

/** SQL: a value as text, in the one form that means the same everywhere. */
function textOf({ alias, type, nested }: Column): string {
  if (type.startsWith('timestamp')) return `to_json(${alias}) #>> '{}'`;
  if (type === 'bytea') return `translate(encode(${alias}, 'base64'), E'\\n', '')`;
  if (type === 'money') return `${alias}::numeric::text`;
  return nested ? `to_json(${alias})::text` : `${alias}::text`;
}

/** SQL: true when a row is marked as deleted, never null. */
function deletedTest(source: string, columns: readonly Column[], deleted: string): string {
  const { type, alias } = requireColumn(source, columns, deleted, 'deleted');
  if (type === 'boolean') return `(${alias} is true)`;
  if (type === 'date' || type.startsWith('timestamp')) return `(${alias} is not null)`;
  throw new LockstepError(
    'SourceUnreadable',
    `“${deleted}” of ${source} is of type ${type} and cannot say what is deleted`,
    { hint: 'Name a column of type boolean, date or timestamp, or make one in a query.' },
  );
}

function requireColumn(
  source: string,
  columns: readonly Column[],
  name: string,
  option: string,
): Column {
  const column = columns.find((each) => each.name === name);
  if (column) return column;
  const names = columns.map((each) => each.name).join(', ');
  throw new LockstepError(
    'SourceColumnMissing',
    `${source} has no column “${name}”, which \`${option}\` names; it has ${names}`,
  );
}
