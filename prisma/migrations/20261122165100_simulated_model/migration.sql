-- Simulated models ----------------------------------------------------------------------------------------------------
--
-- A simulation leaves the model of the store as it is. What its delta names that the store does not know is kept with it,
-- and so is what the configuration has changed since the last load.

ALTER TABLE "delta"
  ADD COLUMN "provisional" JSONB NOT NULL DEFAULT '{"entityTypes": [], "navigations": []}',
  ADD COLUMN "configuration_changes" JSONB NOT NULL DEFAULT '[]';
