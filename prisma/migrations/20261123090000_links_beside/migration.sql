-- Links of a first load, made beside its resources ----------------------------------------------------------------------
--
-- A load is one transaction, and so one process. Where a delta brings links and both of their ends for the first time, all
-- that the table of the links depends on lies in the delta, which cannot change any more: another session makes it, and the
-- load attaches it.

-- Where the keys and ids of resources are that a delta inserts. Those among other changes are set apart, since the planner
-- would take them for none and go through the links by way of a hash of them all.
CREATE FUNCTION "first_ends"("delta" BIGINT, "type" INTEGER) RETURNS TEXT
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  own TEXT := format('resource_change_%s_%s', "delta", "type");
  apart TEXT := format('first_ends_%s', "type");
BEGIN
  IF to_regclass(own) IS NOT NULL THEN RETURN own; END IF;
  EXECUTE format('CREATE TEMPORARY TABLE IF NOT EXISTS %I ON COMMIT DROP AS SELECT resource_id, key FROM %s c', apart,
    first_changes('resource_change', "delta", "type"));
  EXECUTE format('ANALYZE pg_temp.%I', apart);
  RETURN 'pg_temp.' || apart;
END
$$;
REVOKE EXECUTE ON FUNCTION "first_ends" FROM PUBLIC;

-- Makes a table of the links that a delta inserts, as the partitions of "link" are, with indexes and statistics, and tells how many
-- links have both ends. "from" and "to" say in SQL where the ends are (resource_id, key). Its callers set how it is planned.
CREATE FUNCTION "make_first_links"("child" TEXT, "navigation" INTEGER, "delta" BIGINT, "from" TEXT, "to" TEXT) RETURNS BIGINT
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  loaded BIGINT;
BEGIN
  EXECUTE format(
    'CREATE TABLE %I AS
       SELECT c.navigation_property_id, f.resource_id AS from_id, t.resource_id AS to_id, c.source_digest, c.delta_id
       FROM %s c JOIN %s f ON f.key = c.from_key JOIN %s t ON t.key = c.to_key',
    child, first_changes('link_change', "delta", "navigation"), "from", "to");
  GET DIAGNOSTICS loaded = ROW_COUNT;
  -- All at once, for one look at every row. The check spares the attachment another one.
  EXECUTE format(
    'ALTER TABLE %I ADD CONSTRAINT %I CHECK (navigation_property_id = %s), ALTER navigation_property_id SET NOT NULL,
       ALTER from_id SET NOT NULL, ALTER to_id SET NOT NULL,
       ADD CONSTRAINT %I PRIMARY KEY (navigation_property_id, from_id, to_id)',
    child, child || '_own', "navigation", child || '_pkey');
  EXECUTE format('CREATE INDEX %I ON %I (to_id)', child || '_to_id_idx', child);
  EXECUTE format('ANALYZE %I', child);
  RETURN loaded;
END
$$;
REVOKE EXECUTE ON FUNCTION "make_first_links" FROM PUBLIC;

-- As before, by way of the same table.
CREATE OR REPLACE FUNCTION "load_first_links"("navigation" INTEGER, "delta" BIGINT) RETURNS BIGINT
  LANGUAGE plpgsql SECURITY DEFINER
  -- The planner may not know how much there is: link by link would take for ever.
  SET search_path = public, pg_temp SET maintenance_work_mem = '256MB' SET work_mem = '128MB'
  SET enable_nestloop = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
  child TEXT := 'link_' || "navigation";
  stored TEXT := '(SELECT id AS resource_id, key FROM resource WHERE entity_type_id = %s)';
  ends navigation_property;
  loaded BIGINT;
BEGIN
  IF NOT has_table_privilege(session_user, 'link', 'INSERT') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who may insert links may load them';
  END IF;
  SELECT * INTO STRICT ends FROM navigation_property WHERE id = "navigation";
  loaded := make_first_links(child, "navigation", "delta",
    format(stored, ends.from_entity_type_id), format(stored, ends.to_entity_type_id));
  PERFORM attach_first_load('link', child, "navigation");
  RETURN loaded;
END
$$;

-- Makes such a table beside the load; null where an end is stored already, so that the load has to join them itself. The table
-- goes with the changes of the delta if it is never attached.
CREATE FUNCTION "build_first_links"("navigation" INTEGER, "delta" BIGINT) RETURNS BIGINT
  LANGUAGE plpgsql SECURITY DEFINER
  -- By one process, in the order of the source; and the planner may not know how much there is.
  SET search_path = public, pg_temp SET maintenance_work_mem = '256MB' SET work_mem = '128MB'
  SET enable_nestloop = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
  child TEXT := format('link_change_%s_%s_loading', "delta", "navigation");
  ends navigation_property;
BEGIN
  IF NOT has_table_privilege(session_user, 'link', 'INSERT') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who may insert links may load them';
  END IF;
  SELECT * INTO STRICT ends FROM navigation_property WHERE id = "navigation";
  IF to_regclass('resource_' || ends.from_entity_type_id) IS NOT NULL
    OR to_regclass('resource_' || ends.to_entity_type_id) IS NOT NULL THEN
    RETURN NULL;
  END IF;
  -- An attempt that was cut off may still be at work.
  PERFORM pg_advisory_xact_lock(hashtextextended('build:' || child, 0));
  EXECUTE format('DROP TABLE IF EXISTS %I', child);
  RETURN make_first_links(child, "navigation", "delta",
    first_ends("delta", ends.from_entity_type_id), first_ends("delta", ends.to_entity_type_id));
END
$$;

-- Makes a table of links that was built for a delta their partition.
CREATE FUNCTION "attach_built_links"("navigation" INTEGER, "delta" BIGINT) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  built TEXT := format('link_change_%s_%s_loading', "delta", "navigation");
  child TEXT := 'link_' || "navigation";
BEGIN
  IF NOT has_table_privilege(session_user, 'link', 'INSERT') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who may insert links may load them';
  END IF;
  EXECUTE format('ALTER TABLE %I RENAME TO %I', built, child);
  EXECUTE format('ALTER TABLE %I RENAME CONSTRAINT %I TO %I', child, built || '_own', child || '_own');
  EXECUTE format('ALTER TABLE %I RENAME CONSTRAINT %I TO %I', child, built || '_pkey', child || '_pkey');
  EXECUTE format('ALTER INDEX %I RENAME TO %I', built || '_to_id_idx', child || '_to_id_idx');
  PERFORM attach_first_load('link', child, "navigation");
END
$$;

-- As before, and with them what was built of them and never attached.
CREATE OR REPLACE FUNCTION "drop_first_changes"("delta" BIGINT) RETURNS BIGINT
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  child REGCLASS;
  held BIGINT;
  dropped BIGINT := 0;
BEGIN
  IF NOT has_table_privilege(session_user, 'resource_change', 'DELETE') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who may delete changes may drop tables of them';
  END IF;
  FOR child IN SELECT oid FROM pg_class
               WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                 AND relname ~ format('^link_change_%s_\d+_loading$', "delta") LOOP
    EXECUTE format('DROP TABLE %s', child);
  END LOOP;
  FOR child IN SELECT inhrelid FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
               WHERE inhparent IN ('resource_change'::regclass, 'link_change'::regclass)
                 AND c.relname ~ format('^(resource|link)_change_%s_\d+$', "delta") LOOP
    EXECUTE format('SELECT count(*) FROM %s', child) INTO held;
    EXECUTE format('DROP TABLE %s', child);
    dropped := dropped + held;
  END LOOP;
  UPDATE delta d SET sealed = '[]' WHERE d.id = "delta" AND d.sealed <> '[]';
  RETURN dropped;
END
$$;
