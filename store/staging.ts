/** Where the rows of an extraction wait, within the transaction that prepares a delta, to be compared by SQL. */
import type { PoolClient } from 'pg';
import { digestText } from '../engine/record-digest.ts';
import { openRowSink, type RowSink } from './copy.ts';

/**
 * Creates the temporary tables. They end with the transaction, so a worker that dies leaves nothing.
 *
 * A staged row is either usable (`code` null) or a reject; of a reject, `content` holds the cells as a JSON array when
 * its key is not known.
 */
export async function createStaging(session: PoolClient): Promise<void> {
  await session.query(`
    create temporary table staged_row (
      entity_type_id int, key text, content jsonb, reference_keys jsonb, digest uuid, line int,
      code text, "column" text, value text, message text) on commit drop;
    create temporary table staged_link (
      navigation_property_id int, from_key text, to_key text, content jsonb, digest uuid, line int,
      code text, "column" text, value text, message text) on commit drop;
    create temporary table unseen_digest (scope text, digest uuid) on commit drop;
    create temporary table late_reject (
      scope text, digest uuid, line int, key text, "column" text, value text, code text, message text)
      on commit drop;
    create temporary table held_value (scope text, line int, value text) on commit drop`);
}

/** Columns of the tables in the order in which the mapper writes them. */
export const stagedRowTarget =
  'staged_row (entity_type_id, key, content, reference_keys, digest, line, code, "column", value, message)';
export const stagedLinkTarget =
  'staged_link (navigation_property_id, from_key, to_key, content, digest, line, code, "column", value, message)';

/** Opens the sink for the mapped rows of one source. */
export function openStagingSink(session: PoolClient, of: 'rows' | 'links'): RowSink {
  return openRowSink(session, of === 'rows' ? stagedRowTarget : stagedLinkTarget);
}

/** Stages the digests of stored records that the extraction does not hold. */
export async function stageUnseen(
  session: PoolClient,
  scope: string,
  digests: Iterable<Uint32Array>,
): Promise<void> {
  const sink = openRowSink(session, 'unseen_digest (scope, digest)');
  let text = '';
  for (const words of digests) {
    text += `${scope}\t${digestText(words)}\n`;
    if (text.length > 65_536) {
      await sink.write(Buffer.from(text));
      text = '';
    }
  }
  if (text !== '') await sink.write(Buffer.from(text));
  await sink.end();
}

/** Tells PostgreSQL what was staged, so that it plans the comparison for the sizes at hand. */
export async function analyseStaging(session: PoolClient): Promise<void> {
  await session.query(`
    insert into held_value (scope, line, value)
      select 'r' || entity_type_id, line, jsonb_array_elements_text(content) from staged_row
      where code is not null and content is not null
      union all
      select 'l' || navigation_property_id, line, jsonb_array_elements_text(content) from staged_link
      where code is not null and content is not null;
    analyze staged_row; analyze staged_link; analyze unseen_digest; analyze held_value`);
}
