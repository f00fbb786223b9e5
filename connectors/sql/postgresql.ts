/** PostgreSQL as a source: one read-only snapshot, rows by COPY, values as text that means the same to any reader. */
import { Socket } from 'node:net';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { LockstepError } from '../../engine/errors.ts';
import type { QuerySource, Source } from '../../engine/source.ts';
import { asSourceError } from './postgresql-errors.ts';
import type { RowsPart, SqlDriver, SqlRows, SqlSettings, SqlSnapshot } from './sql-driver.ts';

/** Nobody waits for longer to be let in, or for a lock that another session holds. */
const connectSeconds = 10;
const lockSeconds = 30;

export const postgresql: SqlDriver = {
  async open(settings, signal) {
    signal.throwIfAborted();
    const socket = new Socket();
    const stop = () => void socket.destroy();
    signal.addEventListener('abort', stop);
    const close = async () => {
      signal.removeEventListener('abort', stop);
      await client?.end().catch(() => {});
      socket.destroy();
    };
    let client: pg.Client | undefined;
    try {
      client = new pg.Client({
        connectionString: settings.url,
        application_name: 'lockstep export',
        connectionTimeoutMillis: connectSeconds * 1000,
        keepAlive: true,
        stream: () => socket,
      });
      // A connection that breaks is heard of by whoever waits for an answer.
      client.on('error', () => {});
      await client.connect();
      await begin(client, settings);
      return new PostgresqlSnapshot(client, signal, close);
    } catch (error) {
      await close();
      signal.throwIfAborted();
      throw asSourceError(error, 'the database');
    }
  },
};

/** Whatever the server, the database or the user has set: the session only reads, in one format, for a limited time. */
async function begin(client: pg.Client, { timeoutSeconds }: SqlSettings): Promise<void> {
  await client.query('begin isolation level repeatable read, read only');
  const settings = {
    statement_timeout: `${timeoutSeconds}s`,
    lock_timeout: `${lockSeconds}s`,
    idle_in_transaction_session_timeout: `${timeoutSeconds}s`,
    // A server of version 14 or later notices within this time that the worker has gone.
    client_connection_check_interval: '2s',
    client_encoding: 'UTF8',
    timezone: 'UTC',
    datestyle: 'ISO, YMD',
    intervalstyle: 'iso_8601',
    extra_float_digits: '1',
  };
  await client.query(
    `select set_config(s.name, s.value, true) from json_each_text($1) s(name, value)
     where s.name in (select name from pg_settings) or s.name in ('timezone', 'datestyle', 'intervalstyle')`,
    [JSON.stringify(settings)],
  );
}

interface Column {
  readonly name: string;
  /** As `format_type` names it. */
  readonly type: string;
  /** SQL: the value as text. */
  readonly text: string;
  /** SQL: the value. */
  readonly value: string;
}

class PostgresqlSnapshot implements SqlSnapshot {
  readonly #client: pg.Client;
  readonly #signal: AbortSignal;
  readonly #close: () => Promise<void>;

  constructor(client: pg.Client, signal: AbortSignal, close: () => Promise<void>) {
    this.#client = client;
    this.#signal = signal;
    this.#close = close;
  }

  async look(source: Source<QuerySource>): Promise<SqlRows> {
    return await this.#named(source.name, async () => {
      const relation = relationOf(source.options);
      const columns = await this.#columns(relation);
      if (columns.length === 0) {
        throw new LockstepError('SourceUnreadable', `${source.name} has no columns`);
      }
      const from = `(${relation}\n) q(${columns.map(({ value }) => value.slice(2)).join(', ')})`;
      const { deleted } = source.options;
      const isDeleted = deleted === undefined ? undefined : deletedTest(source, columns, deleted);
      const rows = (part: RowsPart) =>
        `from ${from}${isDeleted === undefined ? '' : ` where ${part === 'live' ? 'not ' : ''}${isDeleted}`}`;
      const selected = columns.map(({ name, text }) => `${text} as ${pg.escapeIdentifier(name)}`);
      return {
        expected: await this.#expected(rows('live')),
        cursor: undefined,
        follows: () => false,
        exist: () => this.#named(source.name, () => this.#exists(rows('live'))),
        csv: (part) => this.#copy(source.name, `select ${selected.join(', ')} ${rows(part)}`),
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  /**
   * The columns of a relation, which a statement with a parameter is asked for: PostgreSQL takes only one at a time that
   * way, so that nothing can hide behind a query.
   */
  async #columns(relation: string): Promise<Column[]> {
    const { fields } = await this.#client.query(`select * from (${relation}\n) q limit $1`, [0]);
    const { rows } = await this.#client.query<TypeRow>(
      `select oid::int as id, format_type(oid, null) as type, typcategory = 'A' or typtype = 'c' or oid = 'record'::regtype as nested
       from pg_type where oid = any($1)`,
      [fields.map(({ dataTypeID }) => dataTypeID)],
    );
    const types = new Map(rows.map((row) => [row.id, row]));
    return fields.map(({ name, dataTypeID }, index) => {
      const { type, nested } = types.get(dataTypeID) as TypeRow;
      const value = `q.c${index + 1}`;
      return { name, type, value, text: textOf(value, type, nested) };
    });
  }

  async #expected(rows: string): Promise<number> {
    const { rows: plans } = await this.#client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `explain (format json) select 1 ${rows}`,
    );
    return plans[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
  }

  async #exists(rows: string): Promise<boolean> {
    const { rowCount } = await this.#client.query(`select 1 ${rows} limit 1`);
    return rowCount === 1;
  }

  async *#copy(name: string, select: string): AsyncGenerator<Buffer> {
    try {
      const copy = copyTo(`copy (${select}) to stdout (format csv, header true)`);
      for await (const chunk of this.#client.query(copy)) {
        this.#signal.throwIfAborted();
        yield chunk as Buffer;
      }
    } catch (error) {
      this.#signal.throwIfAborted();
      throw asSourceError(error, name);
    }
  }

  async #named<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      this.#signal.throwIfAborted();
      throw asSourceError(error, name);
    }
  }
}

interface TypeRow {
  readonly id: number;
  readonly type: string;
  readonly nested: boolean;
}

interface PlanNode {
  readonly 'Plan Rows': number;
}

/** SQL: the statement of a source, without the semicolon that many people end one with. */
function relationOf({ relation }: QuerySource): string {
  return 'query' in relation
    ? relation.query.replace(/;\s*$/, '')
    : `select * from ${relation.table.map((part) => pg.escapeIdentifier(part)).join('.')}`;
}

/** SQL: a value as text, in the one form that means the same everywhere. */
function textOf(value: string, type: string, nested: boolean): string {
  if (type.startsWith('timestamp')) return `to_json(${value}) #>> '{}'`;
  if (type === 'bytea') return `translate(encode(${value}, 'base64'), E'\\n', '')`;
  if (type === 'money') return `${value}::numeric::text`;
  return nested ? `to_json(${value})::text` : `${value}::text`;
}

/** SQL: true when a row is marked as deleted, never null. */
function deletedTest({ name }: Source, columns: readonly Column[], deleted: string): string {
  const { type, value } = requireColumn(name, columns, deleted, 'deleted');
  if (type === 'boolean') return `(${value} is true)`;
  if (type === 'date' || type.startsWith('timestamp')) return `(${value} is not null)`;
  throw new LockstepError(
    'SourceUnreadable',
    `“${deleted}” of ${name} is of type ${type} and cannot say what is deleted`,
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
