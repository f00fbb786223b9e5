/** A write that cannot be done, while others can. */
import { isJsonObject, memberOf } from './attribute-value.ts';
import type { ScimAnswer } from './scim-client.ts';

export type WriteFailureCode = 'TargetRefused' | 'TargetChanged' | 'TargetUnavailable';

/** **Danger:** the message may quote values; it belongs into the outcome of the write alone. */
export class WriteFailure extends Error {
  override readonly name = 'WriteFailure';
  readonly code: WriteFailureCode;

  constructor(code: WriteFailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

const longestDetail = 300;

/** What a service said against a write, in its own words. */
export function refusal(what: string, { status, body }: ScimAnswer): WriteFailure {
  const part = (name: string) => {
    const value = isJsonObject(body) ? memberOf(body, name) : undefined;
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const reasons = [String(status), part('scimType')].filter((reason) => reason !== undefined);
  const detail = part('detail')?.slice(0, longestDetail);
  const said = `${what} is refused (${reasons.join(', ')})`;
  return new WriteFailure('TargetRefused', detail === undefined ? said : `${said}: ${detail}`);
}

/** The resource went while it was written. */
export function goneFailure(type: string): WriteFailure {
  return new WriteFailure('TargetChanged', `the ${type} is not there any more`);
}
