-- Fewer pages for a change ----------------------------------------------------------------------------------------------
--
-- A job that changes a few thousand of a million resources spends its time on pages that are not in memory, and on writing
-- whole each page that it touches first.

-- Links name resources by their keys: with the ids in it, the index tells them without a look at the rows.
CREATE UNIQUE INDEX "resource_key_with_id" ON "resource"("entity_type_id", "key") INCLUDE ("id");
DROP INDEX "resource_entity_type_id_key_key";
ALTER INDEX "resource_key_with_id" RENAME TO "resource_entity_type_id_key_key";

-- A page has room for the next version of one of its rows, which then needs no other page, and no entry in any index.
DO $$
DECLARE child REGCLASS;
BEGIN
  FOR child IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'resource'::regclass LOOP
    EXECUTE format('ALTER TABLE %s SET (fillfactor = 90)', child);
  END LOOP;
END
$$;

-- As before, with that room.
CREATE OR REPLACE FUNCTION "load_first_resources"("type" INTEGER, "delta" BIGINT) RETURNS BIGINT
  LANGUAGE plpgsql SECURITY DEFINER
  -- By one process, in the order of the source: the next extraction is compared with it in that order.
  SET search_path = public, pg_temp SET maintenance_work_mem = '256MB' SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
  child TEXT := 'resource_' || "type";
  loaded BIGINT;
BEGIN
  IF NOT has_table_privilege(session_user, 'resource', 'INSERT') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who may insert resources may load them';
  END IF;
  EXECUTE format(
    'CREATE TABLE %I WITH (fillfactor = 90) AS
       SELECT resource_id AS id, entity_type_id, key, after AS attributes, source_digest, delta_id,
         now()::timestamptz(3) AS changed_at
       FROM %s c',
    child, first_changes('resource_change', "delta", "type"));
  GET DIAGNOSTICS loaded = ROW_COUNT;
  -- All at once, for one look at every row. The check spares the attachment another one.
  EXECUTE format(
    'ALTER TABLE %I ADD CONSTRAINT %I CHECK (entity_type_id = %s), ALTER id SET NOT NULL, ALTER id SET DEFAULT nextval(''resource_id_seq''),
       ALTER entity_type_id SET NOT NULL, ALTER key SET NOT NULL, ALTER attributes SET NOT NULL,
       ALTER changed_at SET NOT NULL, ALTER changed_at SET DEFAULT CURRENT_TIMESTAMP,
       ALTER attributes SET STATISTICS 0',
    child, child || '_own', "type");
  PERFORM attach_first_load('resource', child, "type");
  PERFORM index_searchable("type");
  EXECUTE format('ANALYZE %I', child);
  RETURN loaded;
END
$$;
