/** The errors Lockstep raises, grouped by what the caller must do; each code carries its own manual page. */

/** `fix`: change the configuration or the source, retrying is useless. `wait`: try again later. */
export type ErrorKind = 'fix' | 'wait';

interface ErrorPage {
  readonly kind: ErrorKind;
  readonly meaning: string;
  readonly remedy: string;
}

/** Every error code with its manual page; `docs/errors.md` is generated from this table. */
export const errorCatalogue = {
  ConfigurationInvalid: {
    kind: 'fix',
    meaning:
      'lockstep.yaml or the environment does not describe something Lockstep can run safely.',
    remedy:
      'Mend every finding listed (each names its path in the file), then run `lockstep check`.',
  },
  SourceUnavailable: {
    kind: 'wait',
    meaning:
      'The connected system, or a file or table of it, could not be read: absent, no permission, locked, too slow, or changed while read.',
    remedy:
      'Check that the path or address exists and is readable by the worker. The export is retried by itself.',
  },
  SourceAuthenticationFailed: {
    kind: 'fix',
    meaning: 'The connected system refused the credentials.',
    remedy: 'Correct the secret in the worker’s environment and run again.',
  },
  SourceAmbiguous: {
    kind: 'fix',
    meaning:
      'Several files match the pattern of a source, and nothing tells for sure which one is the newest.',
    remedy:
      'Give all of them a date in their name (2026-11-22 or 20261122), or a narrower pattern; or move away those that are done with.',
  },
  SourceIncomplete: {
    kind: 'wait',
    meaning:
      'A connected system gave fewer resources than it says it has, gave one twice, or changed while it was read. What was not returned is never taken for deleted, so there is no extraction.',
    remedy:
      'The export is tried again by itself. When it fails for good, the message says what the service does; `overrides` and `quirks` of the connector make allowances for some.',
  },
  SourceEmpty: {
    kind: 'fix',
    meaning:
      'A source is blank, holds only its header, or has no rows. An empty source is never taken as “everybody left”.',
    remedy:
      'Have the source system write the file again, or find out why the table is empty. Taken at its word, an empty source would delete all that was read from it before; so nothing was compared and nothing was changed.',
  },
  SourceColumnMissing: {
    kind: 'fix',
    meaning:
      'A mapped column is not in the header of its source. Columns are found by name, never by position.',
    remedy: 'Restore the column, or change the mapping to the name it has now.',
  },
  SourceUnreadable: {
    kind: 'fix',
    meaning:
      'A source is not what it claims to be (bytes invalid in its encoding, a quote that never closes, a heading twice; a workbook that is damaged, encrypted, of another format, or holds formulas that were never computed), or a database refuses the query.',
    remedy:
      'Mend the named line, cell or query, or set `encoding` / `delimiter` of the connector to what the file really uses.',
  },
  FormatDrift: {
    kind: 'fix',
    meaning:
      'A column was damaged as spreadsheets do it: `00123` became `123`, `123456789012` became `1.23457E+11`, a date became a day number. Most of its values are concerned, so nothing was planned.',
    remedy:
      'See `lockstep job <id>` for examples. Have the file exported again without opening it in a spreadsheet. If the new values are meant, set `drift: { valueFormat: ignore }` on what is named, and run again.',
  },
  SchemaDrift: {
    kind: 'fix',
    meaning:
      'A source has other columns, or columns of another kind, than at the last load, and the `drift` contract of the entity type says to stop.',
    remedy:
      'See `lockstep job <id>`. Have the source mended, or change the mapping or the `drift` contract of what is named, and run again. Nothing was planned.',
  },
  ExtractionModified: {
    kind: 'fix',
    meaning:
      'A file of the extraction is no longer what the export wrote: its bytes do not match the SHA-256 in its manifest, or the manifest not its own in the store.',
    remedy: 'Nothing was loaded. Run the connector again, and find out who edits extractions.',
  },
  IncrementalUnsupported: {
    kind: 'fix',
    meaning:
      'The connector cannot tell what changed since a cursor (files never can; a database needs a source with a `watermark`, a SCIM connector `incremental: lastModified`), so it has no incremental mode.',
    remedy: 'Run it in complete mode; unchanged rows cost next to nothing there.',
  },
  ConnectorBusy: {
    kind: 'wait',
    meaning: 'Another job holds this connector, and jobs of one connector never overlap.',
    remedy: 'Wait for that job, or decide on it: `lockstep resume <id>` or `lockstep abort <id>`.',
  },
  NothingToResume: {
    kind: 'fix',
    meaning: 'The job is not blocked, so there is nothing to decide.',
    remedy: 'See `lockstep jobs` for the jobs that wait for a decision.',
  },
  DeltaStale: {
    kind: 'wait',
    meaning: 'The store moved after the delta was reviewed, so the reviewed delta was not applied.',
    remedy: 'Review the newly prepared delta with `lockstep changes <id>`, then resume or abort.',
  },
  NothingToRollBack: {
    kind: 'fix',
    meaning:
      'The job wrote nothing to the store (it was simulated, aborted, skipped, failed, or found everything up to date), or has not ended yet, so there is nothing to take back; or it wrote to a connected system, which follows what it is reconciled with.',
    remedy: 'See `lockstep jobs` for the jobs that changed something.',
  },
  ChangesPurged: {
    kind: 'fix',
    meaning:
      'The single changes of the job are not kept any more: `lockstep purge` has removed them, and without them the inverse cannot be prepared.',
    remedy:
      'Have the source system say what should be, and run the connector; or restore the store from a backup.',
  },
  TargetUnavailable: {
    kind: 'wait',
    meaning:
      'A connected system did not take writes: it was out of reach, too busy, or erred again and again. Writes without an outcome may have been done or not; asked for again, each has the effect of one.',
    remedy:
      'Check that it runs and may be reached from the worker’s machine; lower `requestsPerSecond` where it is too busy. The writes are tried again by themselves.',
  },
  TargetRefused: {
    kind: 'fix',
    meaning:
      'A connected system refused a write for good: a value it does not take, a right the credentials lack, a key that somebody else has. Other writes are not held up by it.',
    remedy:
      'See the change and what the system said in `lockstep changes <id>`; correct the value, the mapping or the rights, and reconcile again.',
  },
  TargetChanged: {
    kind: 'wait',
    meaning:
      'A resource was changed or deleted in the connected system while it was written, so the write was not done.',
    remedy: 'Run the connector to learn what it is now, then reconcile again.',
  },
  NotApplied: {
    kind: 'wait',
    meaning:
      'A connected system accepted a write, and read back, the resource is not as it should be.',
    remedy: 'See the change in `lockstep changes <id>`; correct its cause and reconcile again.',
  },
  ResourceInvalid: {
    kind: 'fix',
    meaning:
      'An edit would make a managed resource other than its entity type allows: a value of another type, a required property without one, a key that identifies nothing or would change, or the target of a required reference deleted.',
    remedy: 'Correct what the message names, or the entity type in lockstep.yaml.',
  },
  ResourceProtected: {
    kind: 'fix',
    meaning:
      'The resource stands in `protected` of its entity type: no delta may change or delete it, nor its links.',
    remedy: 'Take its key out of `protected` in lockstep.yaml, if it is meant.',
  },
  AuthorityRefused: {
    kind: 'fix',
    meaning:
      'The property has an `authority`, and who wants to set it is not named there, or stands after the one that set the value it has.',
    remedy:
      'Change it where it comes from, or change `authority` of the property in lockstep.yaml.',
  },
  ConnectorDisabled: {
    kind: 'fix',
    meaning:
      'The connector has `enabled: false` in lockstep.yaml: no job of it starts, and no connection to its system is opened.',
    remedy: 'Take `enabled: false` out, test the connection with `lockstep test`, and run again.',
  },
  NotApprover: {
    kind: 'fix',
    meaning:
      'Matches of this mapping are confirmed, ended and made by the `approvers` of its connector only. Nothing was changed; the attempt is in the audit log.',
    remedy: 'Ask one of them, or add the name to `approvers` in lockstep.yaml.',
  },
  MatchConflict: {
    kind: 'fix',
    meaning: 'One of the two resources has a match with another: no resource is in two.',
    remedy: 'See `lockstep matches`; end that match first, with `lockstep unmatch <id>`.',
  },
  ExpressionTimedOut: {
    kind: 'fix',
    meaning: 'An expression of the mapping did not finish within its time limit on one row.',
    remedy:
      'Simplify the expression named in the message (a regular expression that backtracks is the usual cause).',
  },
  LeaseLost: {
    kind: 'fix',
    meaning:
      'The job no longer holds its connector: another job took over after this one was terminated.',
    remedy: 'Nothing was loaded by this job. Run the connector again.',
  },
  JobTerminated: {
    kind: 'fix',
    meaning:
      'The workflow of the job was terminated in Temporal, so the job could not end by itself.',
    remedy: 'The store is as before or as after, never between. Run the connector again.',
  },
  StoreUnavailable: {
    kind: 'wait',
    meaning: 'PostgreSQL did not answer, or refused the connection.',
    remedy:
      'Start it, or correct DATABASE_URL; without one, `lockstep dev` starts an embedded one.',
  },
  TemporalUnavailable: {
    kind: 'wait',
    meaning: 'The Temporal server did not answer.',
    remedy:
      'Start it, or correct TEMPORAL_ADDRESS; without one, `lockstep dev` starts a local one.',
  },
  NotFound: {
    kind: 'fix',
    meaning: 'There is no such job, connector, entity type, resource or kept extraction.',
    remedy: 'Check the spelling; the message names the nearest one there is.',
  },
  UsageInvalid: {
    kind: 'fix',
    meaning: 'The command line was not understood.',
    remedy: 'See `lockstep <command> --help`.',
  },
  InternalError: {
    kind: 'wait',
    meaning:
      'A fault of Lockstep itself, or of the machine it runs on. Details are in the worker’s log only.',
    remedy: 'Look for the job id in the worker’s log, and report it.',
  },
} as const satisfies Record<string, ErrorPage>;

/** A stable error code, as printed by the command line and documented in `docs/errors.md`. */
export type ErrorCode = keyof typeof errorCatalogue;

/** Why a source row, or one link of it, could not be used. */
export const rejectCatalogue = {
  KeyMissing:
    'The cell of the key (or of one end of an association) is blank, so the row identifies nothing. **Danger:** it protects nothing either: a resource whose only row has lost its key counts as gone, and its deletion is judged by the limits like any other.',
  KeyDuplicate:
    'Two or more rows of one extraction have the same key. All are set aside; a stored resource of that key is kept as it is.',
  ValueInvalid:
    'A value does not convert to the type and format of its property, or is the error of a formula in a workbook (`#N/A`). The row is set aside; a stored resource of its key is kept as it is.',
  ReferenceUnknown:
    'The row refers to a resource that does not exist. The row is used without that link, and the link is made as soon as its target arrives.',
  ChangedSince:
    'Of a rollback: what the job had changed was changed again since, by a later job or by hand, so it is not taken back. It stays as it is now; every other change of the job is taken back.',
  RowMalformed:
    'The row does not have the cells its header promises, or its quoting is broken. Stored resources it may stand for are kept as they are.',
  NotApplied:
    'Of a job that writes: the connected system accepted a write, and read back the resource is not as it should be; or a resource that it was to refer to is not there. What was read back is stored, and the next reconciliation plans the rest again.',
  TargetRefused:
    'Of a job that writes: the connected system refused a write for good, or the value cannot be written in the format of its property. The same change is not tried again by itself, only in a job that a person starts, or once it differs.',
  TargetChanged:
    'Of a job that writes: somebody else changed or deleted the resource in the connected system, so it was not written. Import the system; the next reconciliation goes by what it is then.',
  Conflict:
    'Of a mapping: both sides have changed a value since they last agreed. Authority decides, and without one what is managed by us prevails; the other side is overwritten ([mappings](mappings.md)).',
  AuthorityRefused:
    'Of a mapping: the connected system has another value, but may not set this one: another stands before it in the `authority` of the property, or it does not stand there at all. The value is kept.',
  ResourceProtected:
    'Of a mapping: the target is protected, so nothing of it is changed or deleted.',
  CounterpartUnknown:
    'Of a mapping: the source is linked to a resource that has no confirmed counterpart on the other side, so the link is left out. It is made as soon as there is one.',
  TargetUnavailable:
    'Of a job that writes: the connected system did not take this one write, tried again and again. It may have been done or not; the next reconciliation asks again, which has the effect of one.',
} as const;

/** The code of a reject. */
export type RejectCode = keyof typeof rejectCatalogue;

/** Which part of a connection is at fault. */
export type Fault = 'DNS' | 'TCP' | 'TLS' | 'authentication' | 'scope' | 'schema' | 'service';

/**
 * An error with a code whose manual page says what it means and what to do.
 *
 * **Danger:** the message may end up in Temporal's history, so it must never hold a value of a source cell.
 */
export class LockstepError extends Error {
  override readonly name = 'LockstepError';
  readonly code: ErrorCode;
  /** The next thing to do, in one sentence; the catalogue's remedy unless a better one is known. */
  readonly hint: string;
  /** What is to be looked at, where a connected system could not be read. */
  readonly fault: Fault | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string | undefined; fault?: Fault | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.fault = options.fault;
    this.hint = options.hint ?? errorCatalogue[code].remedy;
  }

  get kind(): ErrorKind {
    return errorCatalogue[this.code].kind;
  }
}
