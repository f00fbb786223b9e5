/** What an error of the network means: whose fault it is, and whether another attempt may help. */
import { type Fault, LockstepError } from '../../engine/errors.ts';

interface Meaning {
  readonly fault: Fault;
  readonly what: string;
  readonly isPassing: boolean;
}

const tls = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CRL_|EPROTO|HOSTNAME_)/;

/** @returns undefined when it is no error of the network */
export function meaningOf(error: unknown): Meaning | undefined {
  const code = codeOf(error);
  if (code === undefined) return undefined;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const isPassing = code === 'EAI_AGAIN';
    return { fault: 'DNS', what: 'its name cannot be resolved', isPassing };
  }
  if (tls.test(code)) {
    return { fault: 'TLS', what: `no trusted connection can be made (${code})`, isPassing: false };
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return { fault: 'service', what: 'it did not answer in time', isPassing: true };
  }
  if (code.startsWith('HPE_')) {
    return { fault: 'service', what: `its answer is not HTTP (${code})`, isPassing: false };
  }
  if (/^(E[A-Z]+|UND_ERR_(SOCKET|CONNECT_TIMEOUT|RES_CONTENT_LENGTH_MISMATCH))$/.test(code)) {
    return { fault: 'TCP', what: `the connection failed (${code})`, isPassing: true };
  }
  return undefined;
}

/** The error to raise in its place. */
export function networkError(
  host: string,
  { fault, what }: Meaning,
  cause: unknown,
): LockstepError {
  return new LockstepError('SourceUnavailable', `${host}: ${what}`, {
    fault,
    hint: hints[fault],
    cause,
  });
}

const hints: Partial<Record<Fault, string>> = {
  DNS: 'Check the host in `endpoint` (and `tokenEndpoint`), and the name servers of the worker’s machine.',
  TCP: 'Check that the service runs, and that the worker’s machine may reach its port.',
  TLS: 'Check the certificate of the service. An authority of your own is trusted by `ca`; verification cannot be turned off.',
};

function codeOf(error: unknown): string | undefined {
  const { code, cause, errors } = error as {
    code?: unknown;
    cause?: unknown;
    errors?: readonly unknown[];
  };
  // One for each address that was tried.
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  if (typeof code === 'string') return code;
  return cause === undefined || cause === null ? undefined : codeOf(cause);
}
