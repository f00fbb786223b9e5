/** Where the rows of an extraction wait, within the transaction that prepares a delta, to be compared by SQL. */
import type { PoolClient } from 'pg';
import { openRowSink, type RowSink } from './copy.ts';
import { isOwnTable } from './first-changes.ts';
import { RowWriter, type StagedPart, stagedParts } from './row-writer.ts';

/**
 * Creates the temporary tables. They end with the transaction, so a worker that dies leaves nothing. What is analysed in
 * it is theirs: that a table has some thousand rows is all that their comparison needs to know, and nothing of what they hold.
 *
 * A staged row is either usable (`code` null) or a reject; of a reject, `content` holds the cells as a JSON array when
 * its key is not known.
 */
export async function createStaging(session: PoolClient): Promise<void> {
  await createDeletionStaging(session);
  await session.query(`
    create temporary table staged_row (
      entity_type_id int, key text, content jsonb, digest uuid, line int,
      code text, "column" text, value text, message text) on commit drop;
    alter table staged_row alter content set statistics 0;
    create temporary table staged_reference (
      navigation_property_id int, from_key text, to_key text) on commit drop;
    create temporary table staged_link (
      navigation_property_id int, from_key text, to_key text, content jsonb, digest uuid, line int,
      code text, "column" text, value text, message text) on commit drop;
    create temporary table unseen_digest (scope text, digest uuid) on commit drop;
    create temporary table late_reject (
      scope text, digest uuid, line int, key text, "column" text, value text, code text, message text)
      on commit drop;
    create temporary table held_value (scope text, line int, value text) on commit drop`);
}

/** Of {@link createStaging} only the tables of {@link deletionPlace}, for a session that looks rows up by them. */
export async function createDeletionStaging(session: PoolClient): Promise<void> {
  await session.query(`
    set local default_statistics_target = 10;
    create temporary table staged_row_deletion (
      entity_type_id int, key text, content jsonb, digest uuid, line int) on commit drop;
    alter table staged_row_deletion alter content set statistics 0;
    create temporary table staged_link_deletion (
      navigation_property_id int, from_key text, to_key text, digest uuid, line int) on commit drop`);
}

/** Where the rows of one source go. */
export interface StagingPlace {
  /** Part → `table (column, …)`, the columns in the order in which the mapping thread writes them; null: it is left out. */
  readonly targets: Readonly<Record<StagedPart, string | null>>;
  /** What every usable row begins with: the number of its fields, and those that are the same in all of them. */
  readonly beginning: Uint8Array<ArrayBuffer>;
  /** The usable rows go into a table that the same transaction has made. */
  readonly own: boolean;
}

/** Into the staging tables, to be compared with what is stored of an entity type or navigation property. */
export function stagingPlace(of: 'rows' | 'links', id: number): StagingPlace {
  const usable =
    of === 'rows'
      ? 'staged_row (entity_type_id, key, content, digest, line)'
      : 'staged_link (navigation_property_id, from_key, to_key, digest, line)';
  const beginning = new RowWriter(64).row(5).int(id).take();
  return { targets: targetsOf(of, usable), beginning, own: false };
}

/**
 * Rows that are marked as deleted. One whose key does not convert stands for no resource that could be deleted, so it is
 * no reject either.
 */
export function deletionPlace(of: 'rows' | 'links', id: number): StagingPlace {
  const usable =
    of === 'rows'
      ? 'staged_row_deletion (entity_type_id, key, content, digest, line)'
      : 'staged_link_deletion (navigation_property_id, from_key, to_key, digest, line)';
  const beginning = new RowWriter(64).row(5).int(id).take();
  return { targets: { usable, rejected: null, references: null }, beginning, own: false };
}

/**
 * What is loaded for the first time can only be inserted, so it goes straight into the delta.
 *
 * @param changes the table, see {@link openFirstChanges}
 */
export function firstPlace(
  of: 'rows' | 'links',
  id: number,
  deltaId: bigint,
  changes: string,
): StagingPlace {
  const own = isOwnTable(changes);
  const scope = of === 'rows' ? 'entity_type_id' : 'navigation_property_id';
  const keys = of === 'rows' ? 'key, after' : 'from_key, to_key';
  const same = own ? '' : `delta_id, ${scope}, change, `;
  const writer = new RowWriter(64).row(own ? 4 : 7);
  if (!own) writer.bigint(deltaId).int(id).text('insert');
  return {
    targets: targetsOf(of, `${changes} (${same}${keys}, source_digest, line)`),
    beginning: writer.take(),
    own,
  };
}

function targetsOf(of: 'rows' | 'links', usable: string): StagingPlace['targets'] {
  const problem = 'code, "column", value, message';
  return {
    usable,
    rejected:
      of === 'rows'
        ? `staged_row (entity_type_id, key, content, digest, line, ${problem})`
        : `staged_link (navigation_property_id, content, digest, line, ${problem})`,
    references: 'staged_reference (navigation_property_id, from_key, to_key)',
  };
}

/** Takes the parts as they come, through one session. */
export interface StagingSink {
  write(part: StagedPart, rows: Uint8Array<ArrayBuffer>): Promise<void>;
  end(): Promise<void>;
  /** See {@link RowSink.abandon}. */
  abandon(): Promise<void>;
}

/** So much of a part is kept until it is worth a COPY of its own. */
const worthwhile = 1 << 22;

/**
 * Opens a sink. A session does one COPY at a time, and nothing beside it, so that each part waits until there is enough of
 * it.
 *
 * @param turn of another sink of the session: nothing is copied before it is over
 */
export function openStagingSink(
  session: PoolClient,
  { targets, own }: StagingPlace,
  turn?: Promise<unknown>,
): StagingSink {
  let open: { part: StagedPart; sink: RowSink } | undefined;
  const waiting: Record<StagedPart, Uint8Array<ArrayBuffer>[]> = {
    usable: [],
    rejected: [],
    references: [],
  };
  async function copy(part: StagedPart, rows: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
    if (open?.part !== part) {
      await turn;
      await open?.sink.end();
      const freeze = own && part === 'usable';
      open = { part, sink: openRowSink(session, targets[part] as string, { freeze }) };
    }
    for (const each of rows) await open.sink.write(each);
  }
  return {
    async write(part, rows) {
      if (rows.length === 0 || targets[part] === null) return;
      // Usable rows come first, and most of them are.
      const begins = part === 'usable' && open === undefined && turn === undefined;
      if (begins || open?.part === part) return await copy(part, [rows]);
      waiting[part].push(rows);
      const bytes = waiting[part].reduce((sum, each) => sum + each.length, 0);
      if (bytes >= worthwhile) await copy(part, waiting[part].splice(0));
    },
    async end() {
      for (const part of stagedParts) {
        if (waiting[part].length > 0) await copy(part, waiting[part].splice(0));
      }
      await open?.sink.end();
      open = undefined;
    },
    async abandon() {
      await open?.sink.abandon();
    },
  };
}

/** Stages the digests of stored records that the extraction does not hold. */
export async function stageUnseen(
  session: PoolClient,
  scope: string,
  digests: Iterable<Uint32Array>,
): Promise<void> {
  const sink = openRowSink(session, 'unseen_digest (scope, digest)');
  const writer = new RowWriter(1 << 17);
  for (const words of digests) {
    writer.row(2).text(scope).uuid(words);
    if (writer.length >= 1 << 16) await sink.write(writer.take());
  }
  await sink.write(writer.take());
  await sink.end();
}

/** Tells PostgreSQL what was staged of all resources or links, so that it plans the comparison for the sizes at hand. */
export async function analyseStaging(session: PoolClient, of: 'rows' | 'links'): Promise<void> {
  const held = (scope: string, table: string) =>
    `insert into held_value (scope, line, value)
       select ${scope}, line, jsonb_array_elements_text(content) from ${table}
       where code is not null and content is not null`;
  await session.query(
    of === 'rows'
      ? `${held(`'r' || entity_type_id`, 'staged_row')}; analyze staged_row; analyze staged_reference`
      : `${held(`'l' || navigation_property_id`, 'staged_link')}; analyze staged_link`,
  );
  await session.query('analyze unseen_digest; analyze held_value');
}
