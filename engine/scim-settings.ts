/** How to reach a SCIM service, who to be there, and what to make allowances for. */
import type { Quirk } from './scim-quirk.ts';

/** How a client shows who it is. **Danger:** it may hold a secret. */
export type ScimAuthentication =
  | { readonly type: 'none' }
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'basic'; readonly user: string; readonly password: string }
  | {
      readonly type: 'oauth2-client-credentials';
      readonly tokenEndpoint: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope: string | undefined;
      /** Where the client's own credentials go: into the header or into the body. */
      readonly method: 'client_secret_basic' | 'client_secret_post';
    };

/** What is believed rather than what the service says of itself. */
export interface ScimOverrides {
  readonly paging?: 'index' | 'cursor' | undefined;
  readonly pageSize?: number | undefined;
  /** Attribute paths are not checked against what the service says its schemas are. */
  readonly ignoreSchemas?: boolean | undefined;
  /** Resource type → path below the endpoint, as `/Users`. */
  readonly resourceTypes?: Readonly<Record<string, string>> | undefined;
  /** Whether lists can be filtered. */
  readonly filter?: boolean | undefined;
  /** False: every write is a request of its own. */
  readonly bulk?: false | undefined;
}

/** What changed is told by `meta.lastModified`. */
export interface ScimIncremental {
  /** How far before the cursor an export begins again. */
  readonly overlapSeconds: number;
}

/** The settings of a SCIM connector. **Danger:** they hold secrets. */
export interface ScimSettings {
  /** With or without the `/v2` at its end. */
  readonly endpoint: string;
  readonly version: 'auto' | '2.0' | '1.1';
  readonly auth: ScimAuthentication;
  /** File with the certificates of the authorities to trust instead of the system's; absolute. */
  readonly ca: string | undefined;
  readonly timeoutSeconds: number;
  readonly requestsPerSecond: number | undefined;
  readonly overrides: ScimOverrides;
  readonly quirks: readonly Quirk[];
  /** Undefined: every export reads everything. */
  readonly incremental: ScimIncremental | undefined;
}
