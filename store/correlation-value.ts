/** SQL for what correlation compares: the value of a property, without what its rule ignores. */
import pg from 'pg';
import type { CorrelationIgnore } from '../engine/mapping.ts';

/** A property, and what two values of it may differ in. */
export interface ComparedProperty {
  readonly property: string;
  readonly ignore: readonly CorrelationIgnore[];
}

/** Anything to be seen: values without are blank, and never match. Beside white space, what takes no room at all. */
const visible = String.raw`[^\s\u0085\u00a0\u1680\u180e\u2000-\u200f\u2028\u2029\u202f\u205f-\u2064\u3000\ufeff]`;

/**
 * The blocks of combining diacritical marks. Vowel signs and voicing marks of other scripts are no accents: without them
 * other letters would be left.
 */
const accents = String.raw`[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]`;

/**
 * SQL: the resources of an entity type that have a value in all of these properties: `id`, `key` and what is compared, as
 * `k0`, `k1` … Texts that are canonically equivalent are the same; numbers and booleans are compared as text.
 *
 * @param among SQL: further condition on the resource, of alias `r`
 */
export function comparedValues(
  entityTypeId: number,
  properties: readonly ComparedProperty[],
  among = 'true',
): string {
  const each = (sql: (property: ComparedProperty, nth: number) => string) => properties.map(sql);
  const raw = each(({ property, ignore }, nth) => `${textOf(property, ignore)} as v${nth}`);
  const values = each(({ ignore }, nth) => `${comparable(`v${nth}`, ignore)} as k${nth}`);
  const seen = each((_, nth) => `k${nth} ~ '${visible}'`);
  // Each level is computed once: without the fences the planner would put the inner expressions wherever they are used.
  return `(select * from (
    select id, key, ${values} from (
      select r.id, r.key, ${raw} from resource r
      where r.entity_type_id = ${entityTypeId} and ${among} offset 0) raw
    offset 0) compared where ${seen.join(' and ')})`;
}

/** SQL: the names of what is compared, `k0, k1`. */
export function comparedColumns(properties: readonly unknown[], alias?: string): string {
  return properties
    .map((_, nth) => (alias === undefined ? `k${nth}` : `${alias}.k${nth}`))
    .join(', ');
}

function textOf(property: string, ignore: readonly CorrelationIgnore[]): string {
  const text = `r.attributes ->> ${pg.escapeLiteral(property)}`;
  return ignore.includes('emailDomain') ? `regexp_replace(${text}, '@[^@]*$', '')` : text;
}

/** SQL: two values that compare alike have the same. Plain ASCII, which most values are, takes the short way. */
function comparable(column: string, ignore: readonly CorrelationIgnore[]): string {
  const ignoresCase = ignore.includes('case');
  const ascii = ignoresCase ? `lower(${column} collate "C")` : column;
  const other = ignore.includes('accents')
    ? // Letters may lose their case only once they are taken apart, and get accents in losing it.
      bare(ignoresCase ? folded(bare(column)) : column)
    : `normalize(${ignoresCase ? folded(`normalize(${column}, NFC)`) : column}, NFC)`;
  return `(case when octet_length(${column}) = length(${column}) then ${ascii} else ${other} end) collate "C"`;
}

/** SQL: upper case first, in which ß is SS and both forms of a small sigma are the same. */
function folded(text: string): string {
  return `(lower(upper(${text} collate "und-x-icu")) collate "C")`;
}

function bare(text: string): string {
  return `regexp_replace(normalize(${text}, NFKD), '${accents}', '', 'g')`;
}
