-- Changes of large first loads ----------------------------------------------------------------------------------------
--
-- Millions of inserts at once lie in a table of their own beside the other changes: it is filled in the transaction
-- that makes it, which spares the log where nothing replicates from it, has one narrow index, is read by several
-- processes, and goes as a whole when the history is purged. It inherits from the table of changes, so that whoever
-- reads that reads it too; its check tells the planner whose changes are not in it.

-- What was planned of such tables, as the digest of the delta covers it: they cannot change once they are sealed.
ALTER TABLE "delta" ADD COLUMN "sealed" JSONB NOT NULL DEFAULT '[]';

-- Makes the table for the inserts of one entity type ("resource_change") or navigation property ("link_change").
CREATE FUNCTION "open_first_changes"("parent" TEXT, "delta" BIGINT, "scope" INTEGER) RETURNS TEXT
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  child TEXT := format('%s_%s_%s', parent, "delta", "scope");
  scoped TEXT := CASE parent WHEN 'resource_change' THEN 'entity_type_id' WHEN 'link_change' THEN 'navigation_property_id' END;
  numbered TEXT := CASE parent WHEN 'resource_change' THEN 'resource_id' WHEN 'link_change' THEN 'id' END;
BEGIN
  IF scoped IS NULL OR NOT has_table_privilege(session_user, parent, 'INSERT') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who may insert changes may open a table for them';
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS, CHECK (delta_id = %s AND %I = %s), PRIMARY KEY (%I))',
    child, parent, "delta", scoped, "scope", numbered);
  EXECUTE format('ALTER TABLE %I ALTER delta_id SET DEFAULT %s, ALTER %I SET DEFAULT %s, ALTER change SET DEFAULT ''insert''',
    child, "delta", scoped, "scope");
  IF parent = 'resource_change' THEN
    EXECUTE format('ALTER TABLE %I ALTER before SET STATISTICS 0, ALTER after SET STATISTICS 0', child);
  END IF;
  EXECUTE format('GRANT SELECT, INSERT, DELETE ON %I TO %I', child, session_user);
  RETURN child;
END
$$;

-- Tells the planner what is in such a table, roughly: how much there is. Only its owner may.
CREATE FUNCTION "analyse_first_changes"("child" TEXT) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET default_statistics_target = 10 AS $$
BEGIN
  IF child !~ '^(resource|link)_change_\d+_\d+$' OR NOT has_table_privilege(session_user, child, 'INSERT') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who fills a table of changes may analyse it';
  END IF;
  EXECUTE format('ANALYZE %I', child);
END
$$;

-- Puts such a table beside the other changes. From now on no row of it comes, goes or changes; it can only be dropped.
CREATE FUNCTION "seal_first_changes"("child" TEXT) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF child !~ '^(resource|link)_change_\d+_\d+$' OR NOT has_table_privilege(session_user, child, 'INSERT') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who fills a table of changes may seal it';
  END IF;
  EXECUTE format('CREATE TRIGGER "sealed" BEFORE INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change_of_delta()', child);
  EXECUTE format('REVOKE INSERT, DELETE ON %I FROM %I', child, session_user);
  EXECUTE format('ALTER TABLE %I INHERIT %I', child, substring(child FROM '^(.*_change)_'));
END
$$;

-- Drops such tables of a delta, and tells how many rows they held.
CREATE FUNCTION "drop_first_changes"("delta" BIGINT) RETURNS BIGINT
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  child REGCLASS;
  held BIGINT;
  dropped BIGINT := 0;
BEGIN
  IF NOT has_table_privilege(session_user, 'resource_change', 'DELETE') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who may delete changes may drop tables of them';
  END IF;
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

-- The planner need not know what is in the attributes: searches have indexes, and those have statistics of their own.
DO $$
DECLARE each REGCLASS;
BEGIN
  FOR each IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'resource'::regclass LOOP
    EXECUTE format('ALTER TABLE %s ALTER attributes SET STATISTICS 0', each);
  END LOOP;
END
$$;

-- A row that somebody inserts by hand, maybe as a copy of another, was not read from a source.
DROP TRIGGER "resource_edited" ON "resource";
DROP TRIGGER "link_edited" ON "link";
CREATE TRIGGER "resource_edited" BEFORE INSERT OR UPDATE ON "resource" FOR EACH ROW
  WHEN (current_setting('lockstep.load', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION "forget_source_digest"();
CREATE TRIGGER "link_edited" BEFORE INSERT OR UPDATE ON "link" FOR EACH ROW
  WHEN (current_setting('lockstep.load', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION "forget_source_digest"();

-- First loads ---------------------------------------------------------------------------------------------------------

-- Where the inserts of a first load are: in a table of their own, which holds nothing else, or among the other changes.
CREATE FUNCTION "first_changes"("parent" TEXT, "delta" BIGINT, "scope" INTEGER) RETURNS TEXT LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN to_regclass(format('%s_%s_%s', parent, "delta", "scope")) IS NULL
    THEN format('(SELECT * FROM ONLY %I WHERE delta_id = %s AND %I = %s AND change = ''insert'')', parent, "delta",
      CASE parent WHEN 'resource_change' THEN 'entity_type_id' ELSE 'navigation_property_id' END, "scope")
    ELSE format('%I', format('%s_%s_%s', parent, "delta", "scope")) END
$$;

-- As before, without ANALYZE of all changes: that would hold up the preparation of others until the commit.
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
    'CREATE TABLE %I AS
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

CREATE OR REPLACE FUNCTION "load_first_links"("navigation" INTEGER, "delta" BIGINT) RETURNS BIGINT
  LANGUAGE plpgsql SECURITY DEFINER
  -- The planner may not know how much there is: link by link would take for ever.
  SET search_path = public, pg_temp SET maintenance_work_mem = '256MB' SET work_mem = '128MB'
  SET enable_nestloop = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
  child TEXT := 'link_' || "navigation";
  ends navigation_property;
  loaded BIGINT;
BEGIN
  IF NOT has_table_privilege(session_user, 'link', 'INSERT') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who may insert links may load them';
  END IF;
  SELECT * INTO STRICT ends FROM navigation_property WHERE id = "navigation";
  EXECUTE format(
    'CREATE TABLE %I AS
       SELECT c.navigation_property_id, f.id AS from_id, t.id AS to_id, c.source_digest, c.delta_id
       FROM %s c
       JOIN resource f ON f.entity_type_id = %s AND f.key = c.from_key
       JOIN resource t ON t.entity_type_id = %s AND t.key = c.to_key',
    child, first_changes('link_change', "delta", "navigation"), ends.from_entity_type_id, ends.to_entity_type_id);
  GET DIAGNOSTICS loaded = ROW_COUNT;
  EXECUTE format(
    'ALTER TABLE %I ADD CONSTRAINT %I CHECK (navigation_property_id = %s),
       ALTER navigation_property_id SET NOT NULL, ALTER from_id SET NOT NULL, ALTER to_id SET NOT NULL',
    child, child || '_own', "navigation");
  PERFORM attach_first_load('link', child, "navigation");
  EXECUTE format('ANALYZE %I', child);
  RETURN loaded;
END
$$;
