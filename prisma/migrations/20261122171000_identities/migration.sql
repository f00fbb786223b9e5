-- Identities ----------------------------------------------------------------------------------------------------------
--
-- Managed entity types have no connector, and neither have the navigation properties between them. Matches pair the
-- resources of two entity types; a mapping remembers what it said when both sides last agreed.

ALTER TABLE "navigation_property" ALTER COLUMN "connector" DROP NOT NULL;
ALTER TABLE "job" ADD COLUMN "mapping" TEXT;
CREATE INDEX "job_mapping_started_at_idx" ON "job"("mapping", "started_at");

CREATE TABLE "match" (
  "id" BIGSERIAL NOT NULL,
  "first_type_id" INTEGER NOT NULL,
  "second_type_id" INTEGER NOT NULL,
  "first_id" BIGINT NOT NULL,
  "second_id" BIGINT NOT NULL,
  "first_key" TEXT NOT NULL,
  "second_key" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "mapping" TEXT NOT NULL,
  "rule" TEXT,
  "confirmed_by" TEXT,
  "confirmed_at" TIMESTAMPTZ(3),
  "first_missing_since" TIMESTAMPTZ(3),
  "second_missing_since" TIMESTAMPTZ(3),
  "delta_id" BIGINT,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "match_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "match_first_key" ON "match"("first_type_id", "second_type_id", "first_id");
CREATE UNIQUE INDEX "match_second_key" ON "match"("first_type_id", "second_type_id", "second_id");

CREATE TABLE "non_match" (
  "first_type_id" INTEGER NOT NULL,
  "second_type_id" INTEGER NOT NULL,
  "first_key" TEXT NOT NULL,
  "second_key" TEXT NOT NULL,
  "said_by" TEXT NOT NULL,
  "reason" TEXT,
  "said_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "non_match_pkey" PRIMARY KEY ("first_type_id", "second_type_id", "first_key", "second_key")
);

CREATE TABLE "match_change" (
  "id" BIGSERIAL NOT NULL,
  "delta_id" BIGINT NOT NULL,
  "change" TEXT NOT NULL,
  "match_id" BIGINT,
  "first_type_id" INTEGER NOT NULL,
  "second_type_id" INTEGER NOT NULL,
  "first_id" BIGINT NOT NULL,
  "second_id" BIGINT NOT NULL,
  "first_key" TEXT NOT NULL,
  "second_key" TEXT NOT NULL,
  "before" JSON,
  "after" JSON,
  CONSTRAINT "match_change_pkey" PRIMARY KEY ("delta_id", "id")
);

CREATE TABLE "agreed_values" (
  "mapping" TEXT NOT NULL,
  "source_id" BIGINT NOT NULL,
  "target_id" BIGINT NOT NULL,
  "values" JSON NOT NULL,
  CONSTRAINT "agreed_values_pkey" PRIMARY KEY ("mapping", "source_id", "target_id")
);
CREATE TABLE "agreed_link" (
  "mapping" TEXT NOT NULL,
  "navigation_property_id" INTEGER NOT NULL,
  "from_id" BIGINT NOT NULL,
  "to_id" BIGINT NOT NULL,
  CONSTRAINT "agreed_link_pkey" PRIMARY KEY ("mapping", "navigation_property_id", "from_id", "to_id")
);
CREATE TABLE "agreement_change" (
  "id" BIGSERIAL NOT NULL,
  "delta_id" BIGINT NOT NULL,
  "mapping" TEXT NOT NULL,
  "resource_id" BIGINT NOT NULL,
  "source_id" BIGINT,
  "target_id" BIGINT,
  "values" JSON,
  "navigation_property_id" INTEGER,
  "from_id" BIGINT,
  "to_id" BIGINT,
  "gone" BOOLEAN NOT NULL DEFAULT false,
  CONSTRAINT "agreement_change_pkey" PRIMARY KEY ("delta_id", "id")
);

CREATE TABLE "value_origin" (
  "entity_type_id" INTEGER NOT NULL,
  "resource_id" BIGINT NOT NULL,
  "origins" JSON NOT NULL,
  CONSTRAINT "value_origin_pkey" PRIMARY KEY ("entity_type_id", "resource_id")
);

CREATE TABLE "situation" (
  "mapping" TEXT NOT NULL,
  "side" TEXT NOT NULL,
  "resource_id" BIGINT NOT NULL,
  "key" TEXT NOT NULL,
  "situation" TEXT NOT NULL,
  "reaction" TEXT NOT NULL,
  "candidates" TEXT[] DEFAULT ARRAY[]::TEXT[],
  "rule" TEXT,
  "job_id" TEXT NOT NULL,
  CONSTRAINT "situation_pkey" PRIMARY KEY ("mapping", "side", "resource_id")
);

CREATE TABLE "edit_request" (
  "id" TEXT NOT NULL,
  "entity_type" TEXT NOT NULL,
  "request" JSON NOT NULL,
  "requested_by" TEXT,
  "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "edit_request_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "provisioning" (
  "delta_id" BIGINT NOT NULL,
  "entity_type_id" INTEGER NOT NULL,
  "resource_id" BIGINT NOT NULL,
  "key" TEXT NOT NULL,
  "operation" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "code" TEXT,
  "message" TEXT,
  "paths" TEXT[] DEFAULT ARRAY[]::TEXT[],
  "settled_at" TIMESTAMPTZ(3),
  CONSTRAINT "provisioning_pkey" PRIMARY KEY ("delta_id", "entity_type_id", "resource_id")
);
