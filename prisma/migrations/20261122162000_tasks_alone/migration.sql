-- Tasks alone, and what is known of every extraction: who made it, how large it is, and what its manifest must be.
ALTER TABLE "job" ADD COLUMN "task" TEXT NOT NULL DEFAULT 'all';

CREATE TABLE "extraction" (
    "id" TEXT NOT NULL,
    "connector" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "rows" BIGINT,
    "bytes" BIGINT,
    "manifest_sha256" TEXT,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "extraction_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "extraction_connector_created_at_idx" ON "extraction"("connector", "created_at");

CREATE INDEX "extraction_job_id_idx" ON "extraction"("job_id");

ALTER TABLE "extraction" ADD CONSTRAINT "extraction_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Which of these are still there is found out by whoever opens them; their manifests were bound to nothing.
INSERT INTO "extraction" ("id", "connector", "job_id", "mode", "created_at")
SELECT j."extraction", j."connector", j."id", j."mode",
       coalesce((SELECT s."ended_at" FROM "job_step" s WHERE s."job_id" = j."id" AND s."name" = 'export'), j."started_at")
FROM "job" j WHERE j."extraction" IS NOT NULL;
