/** Who may set a property of a managed resource that several systems, and people, have a say in. */

/** What is known of a value before somebody sets it. */
export interface AuthorityCase {
  /** Those who may, the first before the second; null: whoever comes last. */
  readonly authority: readonly string[] | null;
  /** Who set the value that is there: a connector, or `local`; undefined when that is not known, or there is no value. */
  readonly origin: string | undefined;
  /** Who would set it now. */
  readonly by: string;
}

/** `not named`: never this one. `outranked`: not as long as there is a value of one who stands before. */
export type AuthorityRefusal = 'not named' | 'outranked';

/**
 * Says why somebody may not set a value; undefined when they may. One who is not named any more stands before nobody.
 */
export function authorityRefusal({
  authority,
  origin,
  by,
}: AuthorityCase): AuthorityRefusal | undefined {
  if (authority === null) return undefined;
  const place = authority.indexOf(by);
  if (place === -1) return 'not named';
  const before = origin === undefined ? -1 : authority.indexOf(origin);
  return before !== -1 && before < place ? 'outranked' : undefined;
}
