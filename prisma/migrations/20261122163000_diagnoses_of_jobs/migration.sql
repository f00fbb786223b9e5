-- A job that stops before there is a delta says why, with examples.
ALTER TABLE "job" ADD COLUMN "diagnoses" JSONB NOT NULL DEFAULT '[]';
