/** The settings of a SCIM connector as written, and what a schema cannot check of them. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { type Quirk, quirkCatalogue } from '../engine/scim-quirk.ts';
import type { ScimAuthentication, ScimSettings } from '../engine/scim-settings.ts';
import { secondsOf } from './source-document.ts';

const text = z.string().min(1).nullable().optional();

const authentication = z.strictObject({
  type: z
    .enum(['none', 'bearer', 'basic', 'oauth2-client-credentials'])
    .describe('How the connector shows who it is.'),
  token: text.describe(`Of bearer: the token, from the environment: \${CRM_TOKEN}.`),
  user: text.describe('Of basic.'),
  password: text.describe(`Of basic, from the environment: \${CRM_PASSWORD}.`),
  tokenEndpoint: text.describe('Of oauth2-client-credentials: where tokens are given out.'),
  clientId: text.describe('Of oauth2-client-credentials.'),
  clientSecret: text.describe(
    `Of oauth2-client-credentials, from the environment: \${CRM_SECRET}.`,
  ),
  scope: text.describe('Of oauth2-client-credentials: scopes with blanks between. Default none.'),
  method: z
    .enum(['client_secret_basic', 'client_secret_post'])
    .nullable()
    .optional()
    .describe(
      'Of oauth2-client-credentials: whether the secret goes into the header or the body. Default client_secret_basic.',
    ),
});

/** What only SCIM connectors have. */
export const scimOptions = {
  kind: z.literal('scim').describe('Users, groups and memberships of a SCIM service.'),
  endpoint: z.string().min(1).describe('Address of the service, with or without /v2 at its end.'),
  version: z
    .enum(['auto', '2.0', '1.1'])
    .optional()
    .describe('Of SCIM. Default auto: what the service says.'),
  auth: authentication.optional().describe('Who the connector is. Default none.'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the certificates (PEM) of the authorities to trust instead of the system’s; relative to lockstep.yaml.',
    ),
  timeout: z
    .string()
    .regex(/^[1-9]\d{0,3}[sm]$/, 'a time is a number and s or m, as in 30s')
    .optional()
    .describe('How long the service may be silent within a request. Default 60s.'),
  requestsPerSecond: z
    .number()
    .positive()
    .max(1000)
    .optional()
    .describe('How many requests the service is sent in a second at most. Default not limited.'),
  concurrency: z
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe('How many requests that write are under way at once at most. Default 4.'),
  overrides: z
    .strictObject({
      paging: z.enum(['index', 'cursor']).optional().describe('How lists are read.'),
      pageSize: z.int().min(1).max(10_000).optional().describe('Resources in a page.'),
      ignoreSchemas: z
        .boolean()
        .optional()
        .describe('Believe the paths of the mapping, not the schemas of the service.'),
      resourceTypes: z
        .record(z.string(), z.string().regex(/^\/[^?#]+$/, 'a place begins with /, as in /Users'))
        .optional()
        .describe('Resource type → its place below the endpoint, as in User: /Users.'),
      filter: z.boolean().optional().describe('Whether lists can be filtered.'),
      bulk: z
        .literal(false)
        .optional()
        .describe('Send every write on its own, although the service offers Bulk.'),
    })
    .optional()
    .describe('What to believe instead of what the service says of itself.'),
  quirks: z
    .array(z.enum(Object.keys(quirkCatalogue) as [Quirk, ...Quirk[]]))
    .optional()
    .describe('Peculiarities of the service to make allowances for.'),
  incremental: z
    .literal('lastModified')
    .optional()
    .describe(
      'Have incremental jobs ask for what changed by meta.lastModified. Deletes are left to complete jobs. Default: there are none.',
    ),
  overlap: z
    .string()
    .regex(/^\d{1,4}[smhd]$/, 'an overlap is a number and s, m, h or d, as in 15m')
    .optional()
    .describe(
      'How far before the last export an incremental one begins again, because clocks differ and writes take time. Default 5m.',
    ),
};

const connector = z.strictObject(scimOptions);
type ScimDocument = z.infer<typeof connector>;
type AuthenticationDocument = z.infer<typeof authentication>;
type AuthenticationType = AuthenticationDocument['type'];

type Field = Exclude<keyof AuthenticationDocument, 'type'>;

const required: Record<AuthenticationType, readonly Field[]> = {
  none: [],
  bearer: ['token'],
  basic: ['user', 'password'],
  'oauth2-client-credentials': ['tokenEndpoint', 'clientId', 'clientSecret'],
};

const optional: Record<AuthenticationType, readonly Field[]> = {
  none: [],
  bearer: [],
  basic: [],
  'oauth2-client-credentials': ['scope', 'method'],
};

const secrets: readonly Field[] = ['token', 'password', 'clientSecret'];

type Report = (path: readonly string[], message: string) => void;

/** How to reach a SCIM service. */
export type ScimReach = {
  readonly kind: 'scim';
  /** How many resources are written at once. */
  readonly concurrency: number;
} & ScimSettings;

/**
 * Turns the settings into values.
 *
 * @param written the same before the environment was put in, not validated
 * @param directory what `ca` is relative to
 */
export function readScim(
  document: ScimDocument,
  written: unknown,
  directory: string,
  report: Report,
): ScimReach {
  const auth = document.auth ?? { type: 'none' as const };
  for (const [path, message] of problemsOf(auth, written)) report(['auth', path], message);
  const hasSecrets = auth.type !== 'none';
  for (const problem of problemsOfAddress(document.endpoint, hasSecrets)) {
    report(['endpoint'], problem);
  }
  for (const problem of auth.tokenEndpoint ? problemsOfAddress(auth.tokenEndpoint, true) : []) {
    report(['auth', 'tokenEndpoint'], problem);
  }
  if (document.overlap !== undefined && document.incremental === undefined) {
    report(['overlap'], 'has a meaning only together with `incremental`');
  }
  const timeout = document.timeout ?? '60s';
  return {
    kind: 'scim',
    concurrency: document.concurrency ?? 4,
    endpoint: document.endpoint,
    version: document.version ?? 'auto',
    auth: authenticationOf(auth),
    ca: document.ca === undefined ? undefined : resolve(directory, document.ca),
    timeoutSeconds: secondsOf(timeout),
    requestsPerSecond: document.requestsPerSecond,
    overrides: document.overrides ?? {},
    quirks: document.quirks ?? [],
    incremental: document.incremental && { overlapSeconds: secondsOf(document.overlap ?? '5m') },
  };
}

function problemsOf(auth: AuthenticationDocument, written: unknown): [Field, string][] {
  const meant = [...required[auth.type], ...optional[auth.type]];
  const fields = Object.keys(authentication.shape).filter((field) => field !== 'type') as Field[];
  return fields.flatMap((field): [Field, string][] => {
    const value = auth[field] ?? null;
    if (value === null) {
      const isMissing = required[auth.type].includes(field);
      return isMissing ? [[field, `is needed for type ${auth.type}`]] : [];
    }
    if (!meant.includes(field)) return [[field, `has no meaning for type ${auth.type}`]];
    if (secrets.includes(field) && !isFromEnvironment(written, field)) {
      return [[field, `is a secret; it comes from the environment only, as in \${CRM_SECRET}`]];
    }
    return [];
  });
}

function isFromEnvironment(written: unknown, field: Field): boolean {
  const auth = (written as { auth?: Record<string, unknown> } | undefined)?.auth;
  return /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(String(auth?.[field]));
}

/** Secrets travel encrypted, or not at all; the machine itself is no network. */
function problemsOfAddress(address: string, hasSecrets: boolean): string[] {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) return ['must begin with https://'];
  if (url.username !== '' || url.password !== '') return ['holds a user or password; see `auth`'];
  if (url.search !== '' || url.hash !== '') return ['must end with its path'];
  const isHere = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return url.protocol === 'http:' && hasSecrets && !isHere
    ? ['must begin with https://: credentials would travel in the clear']
    : [];
}

function authenticationOf(auth: AuthenticationDocument): ScimAuthentication {
  const field = (name: Field) => auth[name] ?? '';
  switch (auth.type) {
    case 'none':
      return { type: auth.type };
    case 'bearer':
      return { type: auth.type, token: field('token') };
    case 'basic':
      return { type: auth.type, user: field('user'), password: field('password') };
    case 'oauth2-client-credentials':
      return {
        type: auth.type,
        tokenEndpoint: field('tokenEndpoint'),
        clientId: field('clientId'),
        clientSecret: field('clientSecret'),
        scope: auth.scope ?? undefined,
        method: auth.method ?? 'client_secret_basic',
      };
  }
}
