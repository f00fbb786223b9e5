-- The store in partitions -------------------------------------------------------------------------------------------
--
-- Each entity type and each navigation property has its rows to itself: a job reads, vacuums and indexes what is its
-- own, and a first load fills a table that has no index yet and that nobody else can see, which is several times
-- faster than filling one that has.

ALTER SEQUENCE "resource_id_seq" OWNED BY NONE;
ALTER TABLE "resource" RENAME TO "resource_before";
ALTER TABLE "link" RENAME TO "link_before";
-- Whatever has a name of its own, not-null constraints too (PostgreSQL 18), leaves it to the new tables.
DO $$
DECLARE each RECORD;
BEGIN
  FOR each IN SELECT conrelid::regclass AS of, conname FROM pg_constraint
              WHERE conrelid IN ('resource_before'::regclass, 'link_before'::regclass) LOOP
    EXECUTE format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', each.of, each.conname, 'before_' || each.conname);
  END LOOP;
END
$$;
ALTER INDEX "resource_entity_type_id_key_key" RENAME TO "resource_before_key";
ALTER INDEX "link_navigation_property_id_to_id_idx" RENAME TO "link_before_to";

CREATE TABLE "resource" (
    "id" BIGINT NOT NULL DEFAULT nextval('resource_id_seq'),
    "entity_type_id" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "attributes" JSONB NOT NULL,
    "source_digest" UUID,
    "delta_id" BIGINT,
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "resource_pkey" PRIMARY KEY ("entity_type_id","id")
) PARTITION BY LIST ("entity_type_id");
ALTER SEQUENCE "resource_id_seq" OWNED BY "resource"."id";
CREATE UNIQUE INDEX "resource_entity_type_id_key_key" ON "resource"("entity_type_id", "key");

CREATE TABLE "link" (
    "navigation_property_id" INTEGER NOT NULL,
    "from_id" BIGINT NOT NULL,
    "to_id" BIGINT NOT NULL,
    "source_digest" UUID,
    "delta_id" BIGINT,

    CONSTRAINT "link_pkey" PRIMARY KEY ("navigation_property_id","from_id","to_id")
) PARTITION BY LIST ("navigation_property_id");
CREATE INDEX "link_to_id_idx" ON "link"("to_id");

DO $$
DECLARE each INTEGER;
BEGIN
  FOR each IN SELECT DISTINCT entity_type_id FROM resource_before LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF resource FOR VALUES IN (%s)', 'resource_' || each, each);
  END LOOP;
  FOR each IN SELECT DISTINCT navigation_property_id FROM link_before LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF link FOR VALUES IN (%s)', 'link_' || each, each);
  END LOOP;
END
$$;
INSERT INTO "resource" ("id", "entity_type_id", "key", "attributes", "source_digest", "delta_id", "changed_at")
  SELECT r."id", r."entity_type_id", r."key", r."attributes", r."source_digest",
    (SELECT max(d."id") FROM "delta" d WHERE d."job_id" = r."changed_by" AND d."applied_at" IS NOT NULL), r."changed_at"
  FROM "resource_before" r;
INSERT INTO "link" ("navigation_property_id", "from_id", "to_id", "source_digest", "delta_id")
  SELECT l."navigation_property_id", l."from_id", l."to_id", l."source_digest",
    (SELECT max(d."id") FROM "delta" d WHERE d."job_id" = l."changed_by" AND d."applied_at" IS NOT NULL)
  FROM "link_before" l;
DROP TABLE "resource_before", "link_before";

-- Changes -----------------------------------------------------------------------------------------------------------
--
-- They are written in the order of their keys, so that a first load appends to the index instead of looking for a
-- place; links by number, since in a first load their ends have no ids yet.

ALTER TABLE "resource_change"
  ADD COLUMN "line" INTEGER,
  ALTER COLUMN "resource_id" SET DEFAULT nextval('resource_id_seq'::regclass),
  DROP CONSTRAINT "resource_change_pkey",
  ADD CONSTRAINT "resource_change_pkey" PRIMARY KEY ("delta_id","entity_type_id","resource_id");
ALTER TABLE "link_change"
  ADD COLUMN "id" BIGSERIAL NOT NULL,
  ADD COLUMN "line" INTEGER,
  DROP CONSTRAINT "link_change_pkey",
  ALTER COLUMN "from_id" DROP NOT NULL,
  ALTER COLUMN "to_id" DROP NOT NULL,
  ADD CONSTRAINT "link_change_pkey" PRIMARY KEY ("delta_id","navigation_property_id","id");

-- A first load takes millions of numbers.
ALTER SEQUENCE "resource_id_seq" CACHE 100;
ALTER SEQUENCE "link_change_id_seq" CACHE 100;

ALTER TABLE "bookkeeping" ADD COLUMN "entity_type_id" INTEGER;

-- What was read, and who edited since ---------------------------------------------------------------------------------

CREATE TABLE "scope_source" (
    "scope" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "seed" UUID NOT NULL,
    "stored" BIGINT NOT NULL,

    CONSTRAINT "scope_source_pkey" PRIMARY KEY ("scope")
);
CREATE TABLE "edit" (
    "scope" TEXT NOT NULL,
    "transaction" BIGINT NOT NULL,

    CONSTRAINT "edit_pkey" PRIMARY KEY ("scope","transaction")
);

-- Triggers ------------------------------------------------------------------------------------------------------------

-- An edit by anyone but a load clears the digest of the source record, so that the next complete job compares the
-- record again and repairs the drift, although the source did not change. A load says `SET LOCAL lockstep.load = 'on'`.
CREATE OR REPLACE FUNCTION "forget_source_digest"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.source_digest := NULL;
  NEW.delta_id := NULL;
  RETURN NEW;
END
$$;

CREATE TRIGGER "resource_edited" BEFORE UPDATE ON "resource" FOR EACH ROW
  WHEN (current_setting('lockstep.load', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION "forget_source_digest"();

CREATE TRIGGER "link_edited" BEFORE UPDATE ON "link" FOR EACH ROW
  WHEN (current_setting('lockstep.load', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION "forget_source_digest"();

-- A reference is part of its owner's source record, so an edited reference makes that record be compared again.
CREATE OR REPLACE FUNCTION "forget_owner_digest"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE resource r SET source_digest = NULL FROM navigation_property n
    WHERE n.id = coalesce(NEW.navigation_property_id, OLD.navigation_property_id) AND n.single_valued
      AND r.entity_type_id = n.from_entity_type_id AND r.id = coalesce(NEW.from_id, OLD.from_id)
      AND r.source_digest IS NOT NULL;
  RETURN NULL;
END
$$;

CREATE TRIGGER "reference_edited" AFTER INSERT OR UPDATE OR DELETE ON "link" FOR EACH ROW
  WHEN (current_setting('lockstep.load', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION "forget_owner_digest"();

-- A resource that somebody else deletes takes its links with it, as in a load, so that none is left without its end.
CREATE TRIGGER "resource_deleted" AFTER DELETE ON "resource" FOR EACH ROW
  WHEN (current_setting('lockstep.load', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION "take_links_along"();

-- An edit leaves a note that only a load takes away which has compared the scope after it. One line a transaction, and
-- none that two transactions would wait for. The editor need not be allowed to write it.
CREATE FUNCTION "note_edit"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    INSERT INTO edit (scope, transaction)
      SELECT scope, pg_current_xact_id()::text::bigint FROM (
        SELECT scope FROM scope_source UNION SELECT 'r' || id FROM entity_type UNION SELECT 'l' || id FROM navigation_property
      ) every
      ON CONFLICT DO NOTHING;
  ELSIF TG_ARGV[0] = 'resource' THEN
    INSERT INTO edit (scope, transaction)
      VALUES ('r' || coalesce(NEW.entity_type_id, OLD.entity_type_id), pg_current_xact_id()::text::bigint)
      ON CONFLICT DO NOTHING;
  ELSE
    INSERT INTO edit (scope, transaction)
      VALUES ('l' || coalesce(NEW.navigation_property_id, OLD.navigation_property_id), pg_current_xact_id()::text::bigint)
      ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER "resource_edit_noted" AFTER INSERT OR UPDATE OR DELETE ON "resource" FOR EACH ROW
  WHEN (current_setting('lockstep.load', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION "note_edit"('resource');
CREATE TRIGGER "link_edit_noted" AFTER INSERT OR UPDATE OR DELETE ON "link" FOR EACH ROW
  WHEN (current_setting('lockstep.load', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION "note_edit"('link');
CREATE TRIGGER "resource_truncation_noted" AFTER TRUNCATE ON "resource" FOR EACH STATEMENT EXECUTE FUNCTION "note_edit"();
CREATE TRIGGER "link_truncation_noted" AFTER TRUNCATE ON "link" FOR EACH STATEMENT EXECUTE FUNCTION "note_edit"();

-- Searches ------------------------------------------------------------------------------------------------------------

ALTER TABLE "entity_type" ADD COLUMN "searchable" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- Makes the indexes of an entity type's resources those of its searchable properties. The key has one anyway.
CREATE FUNCTION "index_searchable"("type" INTEGER) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET maintenance_work_mem = '256MB' AS $$
DECLARE
  child TEXT := 'resource_' || "type";
  wanted TEXT[];
  each TEXT;
BEGIN
  IF NOT has_table_privilege(session_user, 'resource', 'INSERT') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only who may insert resources may index them';
  END IF;
  IF to_regclass(child) IS NULL THEN
    RETURN;
  END IF;
  SELECT coalesce(array_agg(child || '_by_' || left(md5(property), 12)), '{}') INTO wanted
    FROM entity_type t, unnest(t.searchable) property WHERE t.id = "type";
  FOR each IN SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
              WHERE indrelid = child::regclass AND relname LIKE child || '\_by\_%' AND relname <> ALL (wanted) LOOP
    EXECUTE format('DROP INDEX %I', each);
  END LOOP;
  FOR each IN SELECT property FROM entity_type t, unnest(t.searchable) property WHERE t.id = "type" LOOP
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I ((attributes ->> %L), key)',
      child || '_by_' || left(md5(each), 12), child, each);
  END LOOP;
END
$$;

-- First loads ---------------------------------------------------------------------------------------------------------
--
-- They make tables, which the worker's role may not: the owner of the tables does it for any role that may insert.

CREATE FUNCTION "attach_first_load"("parent" TEXT, "child" TEXT, "id" INTEGER) RETURNS void
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', parent, child, id);
  EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', child, child || '_own');
  EXECUTE format('CREATE TRIGGER "truncation_noted" AFTER TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION note_edit()', child);
END
$$;
REVOKE EXECUTE ON FUNCTION "attach_first_load" FROM PUBLIC;

-- Makes the partition of an entity type from the inserts of a delta, and tells how many there are.
CREATE FUNCTION "load_first_resources"("type" INTEGER, "delta" BIGINT) RETURNS BIGINT
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
       FROM resource_change WHERE delta_id = %s AND entity_type_id = %s AND change = ''insert''',
    child, "delta", "type");
  GET DIAGNOSTICS loaded = ROW_COUNT;
  -- All at once, for one look at every row. The check spares the attachment another one.
  EXECUTE format(
    'ALTER TABLE %I ADD CONSTRAINT %I CHECK (entity_type_id = %s), ALTER id SET NOT NULL, ALTER id SET DEFAULT nextval(''resource_id_seq''),
       ALTER entity_type_id SET NOT NULL, ALTER key SET NOT NULL, ALTER attributes SET NOT NULL,
       ALTER changed_at SET NOT NULL, ALTER changed_at SET DEFAULT CURRENT_TIMESTAMP',
    child, child || '_own', "type");
  PERFORM attach_first_load('resource', child, "type");
  PERFORM index_searchable("type");
  EXECUTE format('ANALYZE %I', child);
  -- The next delta is planned among the changes of this one.
  ANALYZE resource_change;
  RETURN loaded;
END
$$;

-- Makes the partition of a navigation property from the inserts of a delta, and tells how many of them have both ends.
CREATE FUNCTION "load_first_links"("navigation" INTEGER, "delta" BIGINT) RETURNS BIGINT
  LANGUAGE plpgsql SECURITY DEFINER
  -- The planner does not know yet how much there is: link by link would take for ever.
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
  -- The planner must know that these are many, or it would hash them and go through the resources instead.
  ANALYZE link_change;
  EXECUTE format(
    'CREATE TABLE %I AS
       SELECT c.navigation_property_id, f.id AS from_id, t.id AS to_id, c.source_digest, c.delta_id
       FROM link_change c
       JOIN resource f ON f.entity_type_id = %s AND f.key = c.from_key
       JOIN resource t ON t.entity_type_id = %s AND t.key = c.to_key
       WHERE c.delta_id = %s AND c.navigation_property_id = %s AND c.change = ''insert''',
    child, ends.from_entity_type_id, ends.to_entity_type_id, "delta", "navigation");
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
