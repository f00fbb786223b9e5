/** What a test of a connection found: names and features of the connected system, never a value of identity data. */
import type { ErrorCode, Fault } from './errors.ts';

/** What a connected system tells of itself, once it was read with the credentials of its connector. */
export interface ConnectionFacts {
  /** Of its protocol or format; null where there is no such thing. */
  readonly version: string | null;
  /** What it has that can be read: files, tables, resource types. */
  readonly objectTypes: readonly string[];
  readonly capabilities: Readonly<Record<string, string | number | boolean>>;
  /** What was tried rather than believed → what came of it. Left out: nothing. */
  readonly probed?: Readonly<Record<string, string>>;
  /** Peculiarities that allowances are made for. Left out: there is no such thing. */
  readonly quirks?: readonly string[];
}

/** Why a connection does not work. */
export interface ConnectionError {
  readonly code: ErrorCode;
  /** What is to be looked at; null where the code says it all. */
  readonly cause: Fault | null;
  readonly message: string;
  readonly hint: string;
}

export type ConnectionTest =
  | ({ readonly ok: true } & ConnectionFacts)
  | { readonly ok: false; readonly error: ConnectionError };
