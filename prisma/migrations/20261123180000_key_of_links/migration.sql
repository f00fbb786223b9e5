-- The key of links -----------------------------------------------------------------------------------------------------
--
-- The navigation property is the same in all of a partition: as the first column of its key it makes every comparison of a
-- sort look at two more of them. It stays before "to_id", since the links of a resource are asked for by the other two.

ALTER TABLE "link" DROP CONSTRAINT "link_pkey";
ALTER TABLE "link" ADD CONSTRAINT "link_pkey" PRIMARY KEY ("from_id", "navigation_property_id", "to_id");

-- As before, with that key: makes a table of the links that a delta inserts, as the partitions of "link" are, and tells how
-- many links have both ends. "from" and "to" say in SQL where the ends are (resource_id, key). Its callers set how it is planned.
CREATE OR REPLACE FUNCTION "make_first_links"("child" TEXT, "navigation" INTEGER, "delta" BIGINT, "from" TEXT, "to" TEXT) RETURNS BIGINT
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
       ADD CONSTRAINT %I PRIMARY KEY (from_id, navigation_property_id, to_id)',
    child, child || '_own', "navigation", child || '_pkey');
  EXECUTE format('CREATE INDEX %I ON %I (to_id)', child || '_to_id_idx', child);
  EXECUTE format('ANALYZE %I', child);
  RETURN loaded;
END
$$;
