/** PostgreSQL as a source: one read-only snapshot, rows by COPY, values as text that means the same to any reader. */
import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { LockstepError } from '../../engine/errors.ts';
import type { QuerySource, Source } from '../../engine/source.ts';
import { asSourceError } from './postgresql-errors.ts';
import {
  type Column,
  concerned,
  from,
  type Relation,
  relationOf,
  selected,
  statementOf,
} from './postgresql-relation.ts';
import { followsTransaction } from './postgresql-watermark.ts';
import type { SqlDriver, SqlRows, SqlSettings, SqlSnapshot } from './sql-driver.ts';

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
      return new PostgresqlSnapshot(client, databaseOf(settings), signal, close);
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

/** Which database it is, without who signs in: a cursor of another one says nothing. */
function databaseOf({ url }: SqlSettings): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

/** Where an incremental export goes on; which source it is of stands beside it, digested. */
interface Cursor {
  readonly of: string;
  readonly position: string;
}

class PostgresqlSnapshot implements SqlSnapshot {
  readonly #client: pg.Client;
  readonly #database: string;
  readonly #signal: AbortSignal;
  readonly #close: () => Promise<void>;

  constructor(
    client: pg.Client,
    database: string,
    signal: AbortSignal,
    close: () => Promise<void>,
  ) {
    this.#client = client;
    this.#database = database;
    this.#signal = signal;
    this.#close = close;
  }

  async look(source: Source<QuerySource>): Promise<SqlRows> {
    return await this.#named(source.name, async () => {
      const relation = relationOf(source, await this.#columns(source));
      const live = `${from(relation)} where not ${relation.isDeleted}`;
      const position = await this.#position(relation);
      const type = relation.columns.find(({ alias }) => alias === relation.watermark?.value)?.type;
      const of = createHash('sha256')
        .update(JSON.stringify([this.#database, source.options, type]))
        .digest('hex')
        .slice(0, 32);
      const follows = (text: string) => {
        const cursor = JSON.parse(text) as Cursor;
        if (cursor.of !== of || position === undefined) return false;
        return type !== 'xid' || followsTransaction(position, cursor.position);
      };
      return {
        expected: await this.#expected(live),
        cursor: position && JSON.stringify({ of, position } satisfies Cursor),
        follows,
        exist: () => this.#named(source.name, () => this.#exists(live)),
        csv: (part, since) => {
          const deleted = part === 'live' ? `not ${relation.isDeleted}` : relation.isDeleted;
          const changed =
            since && ` and ${concerned(relation, (JSON.parse(since) as Cursor).position)}`;
          const rows = `${from(relation)} where ${deleted}${changed ?? ''}`;
          return this.#copy(source.name, `select ${selected(relation)} ${rows}`);
        },
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  /**
   * The columns of a source, which a statement with a parameter is asked for: PostgreSQL takes only one at a time that
   * way, so that nothing can hide behind a query.
   */
  async #columns({ name: source, options }: Source<QuerySource>): Promise<Column[]> {
    const statement = `select * from (${statementOf(options)}\n) q limit $1`;
    const { fields } = await this.#client.query(statement, [0]);
    if (fields.length === 0)
      throw new LockstepError('SourceUnreadable', `${source} has no columns`);
    const { rows } = await this.#client.query<TypeRow>(
      `select oid::int as id, format_type(oid, null) as type,
         typcategory = 'A' or typtype = 'c' or oid = 'record'::regtype as nested
       from pg_type where oid = any($1)`,
      [fields.map(({ dataTypeID }) => dataTypeID)],
    );
    const types = new Map(rows.map((row) => [row.id, row]));
    return fields.map(({ name, dataTypeID }, index) => {
      const { type, nested } = types.get(dataTypeID) as TypeRow;
      return { name, type, nested, alias: `c${index + 1}` };
    });
  }

  async #position({ watermark, ...relation }: Relation): Promise<string | undefined> {
    if (watermark === undefined) return undefined;
    const { rows } = await this.#client.query<{ position: string | null }>(
      `select ${watermark.position(watermark.value)} as position ${from(relation)}`,
    );
    return rows[0]?.position ?? undefined;
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
