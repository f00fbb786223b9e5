-- Provisioning --------------------------------------------------------------------------------------------------------
--
-- What a retry, and the next delta, have to know of a write.

ALTER TABLE "provisioning"
  ADD COLUMN "written" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "change_digest" TEXT NOT NULL DEFAULT '';

-- The last write of a resource, by the key under which it was planned: a create that was refused has another id next time.
CREATE INDEX "provisioning_entity_type_id_key_delta_id_idx" ON "provisioning"("entity_type_id", "key", "delta_id");
