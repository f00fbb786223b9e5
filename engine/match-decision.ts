/** What a person may say of a match, and what comes of it. */

/** What a person wants. Keys are identity data: it waits in the store, never in Temporal. */
export type MatchRequest =
  | { readonly action: 'confirm'; readonly match: string }
  | {
      readonly action: 'unmatch';
      readonly match: string;
      /** The two are not the same: no rule may pair them again. */
      readonly remember: boolean;
      readonly reason: string | null;
    }
  | {
      readonly action: 'match';
      readonly mapping: string;
      /** Keys. */
      readonly source: string;
      readonly target: string;
    };

export type MatchAction = MatchRequest['action'];

/** What came of it; without a word of identity data. */
export type MatchOutcome =
  | {
      readonly effect: 'applied';
      readonly match: string;
      /** The mapping that goes by it at once, and whose job that is; null where it waits for the next reconciliation. */
      readonly followUp: { readonly mapping: string; readonly connector: string } | null;
    }
  | {
      readonly effect: 'refused';
      readonly code: 'NotApprover' | 'MatchConflict' | 'NotFound';
      readonly why: string;
    };
