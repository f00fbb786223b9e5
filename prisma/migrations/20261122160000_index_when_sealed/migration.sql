-- The index of a large first load's changes is built when they are all there, by several processes: keeping it up row by
-- row while they come in takes as long as taking them in does.

CREATE OR REPLACE FUNCTION "open_first_changes"("parent" TEXT, "delta" BIGINT, "scope" INTEGER) RETURNS TEXT
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  child TEXT := format('%s_%s_%s', parent, "delta", "scope");
  scoped TEXT := CASE parent WHEN 'resource_change' THEN 'entity_type_id' WHEN 'link_change' THEN 'navigation_property_id' END;
BEGIN
  IF scoped IS NULL OR NOT has_table_privilege(session_user, parent, 'INSERT') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who may insert changes may open a table for them';
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS, CHECK (delta_id = %s AND %I = %s))',
    child, parent, "delta", scoped, "scope");
  EXECUTE format('ALTER TABLE %I ALTER delta_id SET DEFAULT %s, ALTER %I SET DEFAULT %s, ALTER change SET DEFAULT ''insert''',
    child, "delta", scoped, "scope");
  IF parent = 'resource_change' THEN
    EXECUTE format('ALTER TABLE %I ALTER before SET STATISTICS 0, ALTER after SET STATISTICS 0', child);
  END IF;
  EXECUTE format('GRANT SELECT, INSERT, DELETE ON %I TO %I', child, session_user);
  RETURN child;
END
$$;

CREATE OR REPLACE FUNCTION "seal_first_changes"("child" TEXT) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET maintenance_work_mem = '256MB' AS $$
BEGIN
  IF child !~ '^(resource|link)_change_\d+_\d+$' OR NOT has_table_privilege(session_user, child, 'INSERT') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who fills a table of changes may seal it';
  END IF;
  EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (%I)', child, CASE WHEN child LIKE 'resource%' THEN 'resource_id' ELSE 'id' END);
  EXECUTE format('CREATE TRIGGER "sealed" BEFORE INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change_of_delta()', child);
  EXECUTE format('REVOKE INSERT, DELETE ON %I FROM %I', child, session_user);
  EXECUTE format('ALTER TABLE %I INHERIT %I', child, substring(child FROM '^(.*_change)_'));
END
$$;
