-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "configuration" (
    "version" TEXT NOT NULL,
    "document" JSON NOT NULL,
    "directory" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "configuration_pkey" PRIMARY KEY ("version")
);

-- CreateTable
CREATE TABLE "entity_type" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "connector" TEXT,
    "key" TEXT NOT NULL,
    "properties" JSONB NOT NULL,

    CONSTRAINT "entity_type_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "navigation_property" (
    "id" SERIAL NOT NULL,
    "scope" TEXT NOT NULL,
    "connector" TEXT NOT NULL,
    "from_entity_type_id" INTEGER NOT NULL,
    "to_entity_type_id" INTEGER NOT NULL,
    "property" TEXT NOT NULL,
    "inverse" TEXT,
    "single_valued" BOOLEAN NOT NULL,

    CONSTRAINT "navigation_property_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "resource" (
    "id" BIGSERIAL NOT NULL,
    "entity_type_id" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "attributes" JSONB NOT NULL,
    "source_digest" UUID,
    "changed_by" TEXT,
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "resource_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "link" (
    "navigation_property_id" INTEGER NOT NULL,
    "from_id" BIGINT NOT NULL,
    "to_id" BIGINT NOT NULL,
    "source_digest" UUID,
    "changed_by" TEXT,

    CONSTRAINT "link_pkey" PRIMARY KEY ("navigation_property_id","from_id","to_id")
);

-- CreateTable
CREATE TABLE "pending_link" (
    "navigation_property_id" INTEGER NOT NULL,
    "from_key" TEXT NOT NULL,
    "to_key" TEXT NOT NULL,
    "source_digest" UUID,

    CONSTRAINT "pending_link_pkey" PRIMARY KEY ("navigation_property_id","from_key","to_key")
);

-- CreateTable
CREATE TABLE "job" (
    "id" TEXT NOT NULL,
    "run_id" TEXT NOT NULL,
    "connector" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "simulated" BOOLEAN NOT NULL,
    "trigger" TEXT NOT NULL,
    "requested_by" TEXT,
    "configuration_version" TEXT,
    "extraction" TEXT,
    "error" JSONB,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_step" (
    "job_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "job_step_pkey" PRIMARY KEY ("job_id","name")
);

-- CreateTable
CREATE TABLE "delta" (
    "id" BIGSERIAL NOT NULL,
    "job_id" TEXT NOT NULL,
    "extraction" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "counts" JSONB NOT NULL,
    "entity_types" JSONB NOT NULL,
    "associations" JSONB NOT NULL,
    "breaches" JSONB NOT NULL,
    "diagnoses" JSONB NOT NULL,
    "prepared_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "applied_at" TIMESTAMPTZ(3),

    CONSTRAINT "delta_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "resource_change" (
    "delta_id" BIGINT NOT NULL,
    "resource_id" BIGINT NOT NULL,
    "entity_type_id" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "change" TEXT NOT NULL,
    "before" JSONB,
    "after" JSONB,
    "source_digest" UUID,

    CONSTRAINT "resource_change_pkey" PRIMARY KEY ("delta_id","resource_id")
);

-- CreateTable
CREATE TABLE "link_change" (
    "delta_id" BIGINT NOT NULL,
    "navigation_property_id" INTEGER NOT NULL,
    "change" TEXT NOT NULL,
    "from_id" BIGINT NOT NULL,
    "to_id" BIGINT NOT NULL,
    "from_key" TEXT NOT NULL,
    "to_key" TEXT NOT NULL,
    "previous_id" BIGINT,
    "previous_key" TEXT,
    "source_digest" UUID,

    CONSTRAINT "link_change_pkey" PRIMARY KEY ("delta_id","navigation_property_id","from_id","to_id")
);

-- CreateTable
CREATE TABLE "bookkeeping" (
    "id" BIGSERIAL NOT NULL,
    "delta_id" BIGINT NOT NULL,
    "kind" TEXT NOT NULL,
    "resource_id" BIGINT,
    "navigation_property_id" INTEGER,
    "from_id" BIGINT,
    "to_id" BIGINT,
    "from_key" TEXT,
    "to_key" TEXT,
    "source_digest" UUID,

    CONSTRAINT "bookkeeping_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "reject" (
    "id" BIGSERIAL NOT NULL,
    "job_id" TEXT NOT NULL,
    "entity_type" TEXT NOT NULL,
    "file" TEXT NOT NULL,
    "line" INTEGER,
    "key" TEXT,
    "column" TEXT,
    "value" TEXT,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,

    CONSTRAINT "reject_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "decision" (
    "id" BIGSERIAL NOT NULL,
    "job_id" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "via" TEXT NOT NULL,
    "effect" TEXT NOT NULL,
    "why" TEXT,
    "claimed_by" TEXT,
    "identity" TEXT,
    "principal" TEXT,
    "reason" TEXT,
    "delta" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "decision_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "lease" (
    "connector" TEXT NOT NULL,
    "holder" TEXT,
    "fence" BIGINT NOT NULL DEFAULT 0,
    "waiting" TEXT,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "lease_pkey" PRIMARY KEY ("connector")
);

-- CreateTable
CREATE TABLE "cursor" (
    "connector" TEXT NOT NULL,
    "entity_type" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "moved_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "cursor_pkey" PRIMARY KEY ("connector","entity_type")
);

-- CreateTable
CREATE TABLE "audit_event" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "detail" JSONB NOT NULL,

    CONSTRAINT "audit_event_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "entity_type_name_key" ON "entity_type"("name");

-- CreateIndex
CREATE UNIQUE INDEX "navigation_property_scope_key" ON "navigation_property"("scope");

-- CreateIndex
CREATE UNIQUE INDEX "resource_entity_type_id_key_key" ON "resource"("entity_type_id", "key");

-- CreateIndex
CREATE INDEX "link_navigation_property_id_to_id_idx" ON "link"("navigation_property_id", "to_id");

-- CreateIndex
CREATE INDEX "job_connector_started_at_idx" ON "job"("connector", "started_at");

-- CreateIndex
CREATE INDEX "job_state_idx" ON "job"("state");

-- CreateIndex
CREATE INDEX "job_started_at_idx" ON "job"("started_at");

-- CreateIndex
CREATE INDEX "delta_job_id_idx" ON "delta"("job_id");

-- CreateIndex
CREATE INDEX "bookkeeping_delta_id_idx" ON "bookkeeping"("delta_id");

-- CreateIndex
CREATE INDEX "reject_job_id_idx" ON "reject"("job_id");

-- CreateIndex
CREATE INDEX "decision_job_id_idx" ON "decision"("job_id");

-- CreateIndex
CREATE INDEX "audit_event_subject_idx" ON "audit_event"("subject");

-- AddForeignKey
ALTER TABLE "job_step" ADD CONSTRAINT "job_step_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "delta" ADD CONSTRAINT "delta_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "reject" ADD CONSTRAINT "reject_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "decision" ADD CONSTRAINT "decision_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Beyond what Prisma's schema can say ------------------------------------------------------------------------------

-- Generated views, one per entity type and association, for any reader of the store.
CREATE SCHEMA "views";

-- An edit by anyone but a load clears the digest of the source record, so that the next complete job compares the
-- record again and repairs the drift, although the source did not change. A load says `SET LOCAL lockstep.load = 'on'`.
CREATE FUNCTION "forget_source_digest"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.source_digest := NULL;
  NEW.changed_by := NULL;
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
CREATE FUNCTION "forget_owner_digest"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE resource SET source_digest = NULL
    WHERE id = coalesce(NEW.from_id, OLD.from_id) AND source_digest IS NOT NULL
      AND EXISTS (SELECT FROM navigation_property n
                  WHERE n.id = coalesce(NEW.navigation_property_id, OLD.navigation_property_id) AND n.single_valued);
  RETURN NULL;
END
$$;

CREATE TRIGGER "reference_edited" AFTER INSERT OR UPDATE OR DELETE ON "link" FOR EACH ROW
  WHEN (current_setting('lockstep.load', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION "forget_owner_digest"();

-- A resource that somebody else deletes takes its links with it, as in a load, so that none is left without its end.
CREATE FUNCTION "take_links_along"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM link l USING navigation_property n
    WHERE n.from_entity_type_id = OLD.entity_type_id AND l.navigation_property_id = n.id AND l.from_id = OLD.id;
  DELETE FROM link l USING navigation_property n
    WHERE n.to_entity_type_id = OLD.entity_type_id AND l.navigation_property_id = n.id AND l.to_id = OLD.id;
  RETURN NULL;
END
$$;

CREATE TRIGGER "resource_deleted" AFTER DELETE ON "resource" FOR EACH ROW
  WHEN (current_setting('lockstep.load', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION "take_links_along"();

-- What was planned, and maybe reviewed, cannot be edited; only thrown away as a whole.
CREATE FUNCTION "refuse_change_of_delta"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the changes of a delta cannot be edited';
END
$$;

CREATE TRIGGER "resource_change_immutable" BEFORE UPDATE ON "resource_change" FOR EACH ROW
  EXECUTE FUNCTION "refuse_change_of_delta"();
CREATE TRIGGER "link_change_immutable" BEFORE UPDATE ON "link_change" FOR EACH ROW
  EXECUTE FUNCTION "refuse_change_of_delta"();
CREATE TRIGGER "bookkeeping_immutable" BEFORE UPDATE ON "bookkeeping" FOR EACH ROW
  EXECUTE FUNCTION "refuse_change_of_delta"();

-- The audit log is append-only.
CREATE FUNCTION "refuse_change_of_audit"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only';
END
$$;

CREATE TRIGGER "audit_append_only" BEFORE UPDATE OR DELETE ON "audit_event" FOR EACH ROW
  EXECUTE FUNCTION "refuse_change_of_audit"();
CREATE TRIGGER "audit_not_truncated" BEFORE TRUNCATE ON "audit_event" FOR EACH STATEMENT
  EXECUTE FUNCTION "refuse_change_of_audit"();
