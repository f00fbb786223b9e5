/** What PostgreSQL and its driver say when something fails, as errors of ours: without a value, without the address. */
import { type ErrorCode, LockstepError } from '../../engine/errors.ts';

interface PostgresqlError {
  readonly code?: string;
  readonly message: string;
}

/** Where an SQLSTATE, or the beginning of one, leads. */
const sqlStates: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [/^28/, 'SourceAuthenticationFailed', 'refuses the user or password'],
  [/^(42P01|3F000)$/, 'SourceUnavailable', 'does not exist'],
  [/^3D000$/, 'SourceUnavailable', 'is in a database that does not exist'],
  [/^42501$/, 'SourceUnavailable', 'may not be read by the user of the connection'],
  [/^57014$/, 'SourceUnavailable', 'took longer than its timeout'],
  [/^55P03$/, 'SourceUnavailable', 'is locked by another session'],
  [
    /^(08|40|53|57|58)/,
    'SourceUnavailable',
    'was not given: the server is short of something or stops',
  ],
  [/^25006$/, 'SourceUnreadable', 'would write; a source is only read'],
];

const hints: Readonly<Record<string, string>> = {
  '57014':
    'Raise `timeout` of the connector, or give the query an index. The export is tried again.',
  '25006': 'Make the query a plain select: no function that writes, no `for update`.',
};

/**
 * What went wrong with a source, or with the connection (`of` names the connector's database then).
 *
 * Messages of syntax and names (class 42) speak of the query only, and are passed on; all others may quote a value.
 */
export function asSourceError(error: unknown, of: string): unknown {
  if (error instanceof LockstepError) return error;
  const { code = '', message } = error as PostgresqlError;
  if (/^[0-9A-Z]{5}$/.test(code) && !systemCodes.test(code)) {
    const [, ours, what] = sqlStates.find(([pattern]) => pattern.test(code)) ?? [];
    const hint = hints[code];
    if (ours)
      return new LockstepError(ours, `${of} ${what} (SQLSTATE ${code})`, hint ? { hint } : {});
    const said = /^42/.test(code) ? `: ${message}` : '';
    return new LockstepError('SourceUnreadable', `${of} cannot be read (SQLSTATE ${code})${said}`, {
      hint: 'Correct the query, or what it reads. Try it in psql with the user of the connection.',
    });
  }
  if (/^SASL|password/i.test(message)) {
    return new LockstepError('SourceAuthenticationFailed', `${of} refuses the user or password`, {
      fault: 'authentication',
    });
  }
  const certificate = /CERT|SELF_SIGNED|LEAF_SIGNATURE|TLS/.test(code) || /SSL|TLS/.test(message);
  if (certificate) {
    return new LockstepError(
      'SourceUnavailable',
      `${of} cannot be reached over TLS${code && ` (${code})`}`,
      {
        fault: 'TLS',
        hint: 'See `sslmode` and `sslrootcert` in the address: the certificate must be that of the host.',
      },
    );
  }
  if (code !== '' || /connect|terminat|timeout/i.test(message)) {
    return new LockstepError('SourceUnavailable', `${of} does not answer${code && ` (${code})`}`, {
      fault: code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'DNS' : 'TCP',
      hint: 'Check host, port and network as seen from the worker. The export is tried again.',
    });
  }
  return error;
}

/** Node's own codes of five letters, which are no SQLSTATE. */
const systemCodes = /^E[A-Z]{4}$/;
