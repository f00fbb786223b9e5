-- Situations of deltas -------------------------------------------------------------------------------------------------
--
-- A reconciliation tells how many resources it found in each situation.

ALTER TABLE "delta" ADD COLUMN "situations" JSONB NOT NULL DEFAULT '{}';
