-- Matches --------------------------------------------------------------------------------------------------------------
--
-- What a delta makes of matches and agreements is part of what a person reviews: it does not change afterwards.

CREATE TRIGGER "match_change_immutable" BEFORE UPDATE ON "match_change" FOR EACH ROW
  EXECUTE FUNCTION "refuse_change_of_delta"();
CREATE TRIGGER "agreement_change_immutable" BEFORE UPDATE ON "agreement_change" FOR EACH ROW
  EXECUTE FUNCTION "refuse_change_of_delta"();
