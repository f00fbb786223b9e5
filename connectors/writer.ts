/** What a connected system that can be written to offers: resources and members are written, and read back. */
import type { Value } from '../engine/value-format.ts';

/** A multi-valued attribute is written as one path with a value filter; a path without a value is removed. */
export interface AttributeWrite {
  /** As the mapping of the entity type says it: `name.givenName`, `emails[type eq "work"].value` (RFC 7644 §3.10). */
  readonly path: string;
  /** The value it should have; null for none. */
  readonly value: Value | null;
}

/** Members that come and go, by the ids of the connected system. */
export interface MembersWrite {
  /** `members` */
  readonly attribute: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** One resource of a connected system as it should become. */
export type ResourceWrite = {
  /** Names the write in its outcome; unique within the request. */
  readonly nth: number;
  readonly resourceType: string;
  /** Path and value by which a resource without a known id is found: that of the entity type's key. */
  readonly key: { readonly path: string; readonly value: string };
  readonly members: readonly MembersWrite[];
} & (
  | { readonly operation: 'create'; readonly attributes: readonly AttributeWrite[] }
  | {
      readonly operation: 'update';
      /** Id in the connected system; null when it has to be looked up by the key. */
      readonly id: string | null;
      /** An attempt that left no outcome may have done it, or a part of it: what is there is looked at first. */
      readonly mayBeDone?: boolean;
      /** Those that change; others are not touched. */
      readonly attributes: readonly AttributeWrite[];
    }
  | { readonly operation: 'delete'; readonly id: string | null }
);

/** What became of one write. Nothing here may be logged: it is identity data. */
export type WriteOutcome =
  | {
      /** Read back as it should be (a delete: it is gone). Also when an earlier attempt had done it already. */
      readonly state: 'applied';
      readonly nth: number;
      /** Id in the connected system; null after a delete. */
      readonly id: string | null;
      /** What every path of `readBack` holds now, as the export would put it into its cell; an absent value is no entry. */
      readonly cells: ReadonlyMap<string, string>;
    }
  | {
      /** The system said yes, and yet these paths (or these members) are not what they should be. */
      readonly state: 'not-applied';
      readonly nth: number;
      readonly id: string | null;
      readonly cells: ReadonlyMap<string, string>;
      readonly paths: readonly string[];
    }
  | {
      readonly state: 'failed';
      readonly nth: number;
      /** `TargetRefused` (this write will never do: 400, 403, 409), `TargetChanged` (412), `TargetUnavailable` (tried again in vain). */
      readonly code: 'TargetRefused' | 'TargetChanged' | 'TargetUnavailable';
      readonly message: string;
    };

export interface WriteRequest {
  /** Written in about this order; a bounded number at a time. */
  readonly writes: Iterable<ResourceWrite>;
  /** Resource type → the paths to read back. */
  readonly readBack: ReadonlyMap<string, readonly string[]>;
  /** How many writes may be under way at once. */
  readonly concurrency: number;
  /** Told of every write as soon as its outcome is certain; awaited before the next write of that slot begins. */
  readonly onOutcome: (outcome: WriteOutcome) => Promise<void>;
  /** Aborted when the job is: what is under way ends, nothing new begins. */
  readonly signal: AbortSignal;
}

/**
 * Writes to one connected system. Every write may be asked for again after a crash, and has the effect of one: a create
 * looks by its key whether it is there already, a delete of what is gone is done.
 */
export interface Writer {
  /**
   * Writes all of it; a write that fails stops no other.
   *
   * @throws LockstepError `TargetUnavailable`, `SourceAuthenticationFailed` when the system as a whole is out of reach:
   * writes without an outcome were not tried, or may have been
   */
  write(request: WriteRequest): Promise<void>;
}
