-- Rollback ------------------------------------------------------------------------------------------------------------
--
-- A job may prepare the inverse of another one's delta: it has no extraction then.

ALTER TABLE "job" ADD COLUMN "rollback_of" TEXT;
ALTER TABLE "delta" ALTER COLUMN "extraction" DROP NOT NULL;

-- CreateIndex
CREATE INDEX "job_rollback_of_idx" ON "job"("rollback_of");
