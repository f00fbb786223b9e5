/** What changed, told by `meta.lastModified`: the filter that asks for it, and the cursor that an export leaves. */
import { createHash } from 'node:crypto';
import type { Source } from '../../engine/source.ts';
import { isJsonObject, type JsonObject, memberOf } from './attribute-value.ts';

/** Where the next incremental export goes on; which source it is of stands beside it, digested. */
export interface ScimCursor {
  readonly of: string;
  /** A stamp of the service itself. */
  readonly position: string;
}

/** The cursor that nothing goes on from: it takes the place of one that is no longer to be trusted. */
export const voidCursor = JSON.stringify({ of: '', position: '' } satisfies ScimCursor);

/** A cursor of another service or of other paths says nothing. */
export function digestOfSource(base: string, { options }: Source): string {
  return createHash('sha256')
    .update(JSON.stringify([base, options]))
    .digest('hex')
    .slice(0, 32);
}

/** The position of a cursor in ms, if it is one of this source. */
export function positionOf(text: string | undefined, of: string): number | undefined {
  if (text === undefined) return undefined;
  const cursor = JSON.parse(text) as ScimCursor;
  return cursor.of === of ? Date.parse(cursor.position) : undefined;
}

/** Whole seconds, in UTC: what every service understands. Rounded down, so that nothing is left out. */
export function modifiedSince(milliseconds: number): string {
  const second = new Date(Math.floor(milliseconds / 1000) * 1000).toISOString();
  return `meta.lastModified ge "${second.replace('.000', '')}"`;
}

const withZone = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/i;

/** When a resource was changed last, in ms; undefined when that is not told. */
export function stampOf(resource: JsonObject): number | undefined {
  const meta = memberOf(resource, 'meta');
  const text = String(isJsonObject(meta) ? memberOf(meta, 'lastModified') : '');
  // Of a time without a zone nobody knows whose it is.
  const time = withZone.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** When a list was read, in ms. */
export interface ReadingTime {
  /** Before the first page was asked for. */
  readonly began: number;
  /** What the service took for the time before that; undefined where it does not say. */
  readonly serviceTime: number | undefined;
  readonly now: number;
}

/** The stamps of the resources that were read. */
export class Stamps {
  readonly #times: number[] = [];
  #isWhole = true;

  add(resource: JsonObject): void {
    const time = stampOf(resource);
    if (time === undefined) this.#isWhole = false;
    else this.#times.push(time);
  }

  /** Whether every resource has one. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /**
   * From where on something may have changed that was not read: the latest stamp, or when reading began if that is
   * earlier, for what changes after its page was read has a stamp from then on. Where the service does not tell what it took
   * for the time then, it is the latest stamp less the time that reading took.
   *
   * The clock of this machine measures that time, and else only holds the position back: one stamp of the year 9999 must
   * not end all exports, and a service whose clock is ahead is asked for a little more.
   */
  position({ began, serviceTime, now }: ReadingTime): number | undefined {
    let latest: number | undefined;
    for (const time of this.#times) {
      if (time <= now && (latest === undefined || time > latest)) latest = time;
    }
    // Whole seconds, so that it stays where it is while nothing changes.
    if (latest === undefined) return undefined;
    if (serviceTime !== undefined) return Math.min(latest, serviceTime);
    return latest - Math.ceil(Math.max(0, now - began) / 1000) * 1000;
  }

  /** How many are of that second or later. */
  since(milliseconds: number): number {
    const second = Math.floor(milliseconds / 1000) * 1000;
    return this.#times.filter((time) => time >= second).length;
  }
}
