/** A second, naive reading of DESIGN's rules for the people of test/fixtures: what a day must leave in the store. */
import type { PeopleRows } from '../fixtures/people.ts';
import type { Contents } from './store-contents.ts';

/** Cells of the rows of a day, `people` as `[id, name, hired, age, org, boss]` and so on in the order of the headers. */
export type Day = { readonly [File in keyof Required<PeopleRows>]: readonly (readonly string[])[] };

/** What the sources claim: a link where both ends exist, pending where one does not. */
interface State {
  readonly resources: Record<string, Map<string, Record<string, unknown>>>;
  /** Scope → `from → to`. */
  readonly claims: Record<string, Set<string>>;
}

const types = {
  organisation: { file: 'organisations', references: { parent: [2, 'organisation'] } },
  person: {
    file: 'people',
    references: { organisation: [4, 'organisation'], manager: [5, 'person'] },
  },
  team: { file: 'teams', references: {} },
} as const satisfies Record<
  string,
  { file: keyof Day; references: Record<string, readonly [number, string]> }
>;

const targets: Record<string, readonly [string, string]> = {
  'organisation.parent': ['organisation', 'organisation'],
  'person.organisation': ['person', 'organisation'],
  'person.manager': ['person', 'person'],
  membership: ['person', 'team'],
};

export const linkScopes = Object.keys(targets);

/** The store before the first day. */
export function emptyState(): State {
  return {
    resources: Object.fromEntries(Object.keys(types).map((type) => [type, new Map()])),
    claims: Object.fromEntries(linkScopes.map((scope) => [scope, new Set<string>()])),
  };
}

/** The store after a day. */
export function after(before: State, day: Day): State {
  const next = emptyState();
  for (const [type, { file, references }] of Object.entries(types)) {
    const rows = day[file].map((row) => row.map((cell) => cell.trim()));
    const keyed = rows.filter(([key]) => key !== '');
    const twice = (key: string) => keyed.filter((row) => row[0] === key).length > 1;
    const setAside = new Set<string>();
    for (const row of keyed) {
      const key = row[0] as string;
      const attributes = attributesOf(type, row);
      if (attributes === undefined || twice(key)) {
        setAside.add(key);
        continue;
      }
      next.resources[type]?.set(key, attributes);
      for (const [property, [position]] of Object.entries(references)) {
        const target = row[position] as string;
        if (target !== '') next.claims[`${type}.${property}`]?.add(arrow(key, target));
      }
    }
    for (const key of setAside) {
      const stored = before.resources[type]?.get(key);
      if (stored === undefined) continue;
      next.resources[type]?.set(key, stored);
      for (const property of Object.keys(references)) {
        const claims = before.claims[`${type}.${property}`] ?? new Set();
        for (const claim of claims) {
          if (claim.startsWith(arrow(key, ''))) next.claims[`${type}.${property}`]?.add(claim);
        }
      }
    }
  }
  for (const row of day.memberships) {
    const [from = '', to = ''] = row.map((cell) => cell.trim());
    if (from !== '' && to !== '') next.claims['membership']?.add(arrow(from, to));
  }
  return next;
}

function attributesOf(type: string, row: readonly string[]): Record<string, unknown> | undefined {
  const [first = '', second = '', hired = '', age = ''] = row;
  const found: Record<string, unknown> = { [type === 'person' ? 'login' : 'code']: first };
  if (second !== '') found[type === 'team' ? 'label' : 'name'] = second;
  if (type !== 'person') return found;
  if (hired !== '') {
    const [day, month, year] = hired.split('/').map(Number) as [number, number, number];
    const date = new Date(Date.UTC(year, month - 1, day));
    if (date.getUTCDate() !== day || date.getUTCMonth() !== month - 1) return undefined;
    found['hired'] = date.toISOString().slice(0, 10);
  }
  if (age !== '') {
    if (!/^\d+$/.test(age)) return undefined;
    found['age'] = Number(age);
  }
  return found;
}

function arrow(from: string, to: string): string {
  return `${from} → ${to}`;
}

/** The state in the form in which a store is read. */
export function contentsOf({ resources, claims }: State): Contents {
  const links: Record<string, string[]> = {};
  const pending: Record<string, string[]> = {};
  for (const [scope, claimed] of Object.entries(claims)) {
    const [fromType, toType] = targets[scope] as readonly [string, string];
    for (const claim of [...claimed].sort()) {
      const [from, to] = claim.split(' → ') as [string, string];
      const known = resources[fromType]?.has(from) && resources[toType]?.has(to);
      const list = known ? links : pending;
      list[scope] ??= [];
      list[scope].push(claim);
    }
  }
  const filled = Object.entries(resources).filter(([, map]) => map.size > 0);
  return {
    resources: Object.fromEntries(filled.map(([type, map]) => [type, Object.fromEntries(map)])),
    links,
    pending,
  };
}

/** Planned and stored numbers of one scope. */
export interface ScopePlan {
  readonly of: 'lines' | 'links';
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly stored: number;
}

/** The true difference of two contents, one line a change, and its numbers by scope. */
export function difference(
  before: Contents,
  next: Contents,
): { readonly changes: string[]; readonly scopes: Readonly<Record<string, ScopePlan>> } {
  const changes: string[] = [];
  const scopes: Record<string, ScopePlan> = {};
  for (const type of Object.keys(types)) {
    const [old, now] = [before.resources[type] ?? {}, next.resources[type] ?? {}];
    const counted = { inserted: 0, updated: 0, deleted: 0 };
    for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
      const change = !(key in old) ? 'inserted' : !(key in now) ? 'deleted' : 'updated';
      if (change === 'updated' && sorted(old[key]) === sorted(now[key])) continue;
      counted[change] += 1;
      changes.push(`${change} ${type} ${key}: ${sorted(old[key])} → ${sorted(now[key])}`);
    }
    scopes[type] = { of: 'lines', ...counted, stored: Object.keys(old).length };
  }
  for (const scope of linkScopes) {
    const [old, now] = [before.links[scope] ?? [], next.links[scope] ?? []];
    const gone = new Set(old.filter((link) => !now.includes(link)));
    const counted = { inserted: 0, updated: 0, deleted: 0 };
    for (const link of now.filter((each) => !old.includes(each))) {
      const from = link.split(' → ')[0] as string;
      const previous =
        scope === 'membership'
          ? undefined
          : [...gone].find((each) => each.startsWith(arrow(from, '')));
      if (previous !== undefined) gone.delete(previous);
      const change = previous === undefined ? 'inserted' : 'updated';
      counted[change] += 1;
      changes.push(`${change} ${scope}: ${link}${previous ? `, was ${previous}` : ''}`);
    }
    for (const link of gone) {
      counted.deleted += 1;
      changes.push(`deleted ${scope}: ${link}`);
    }
    scopes[scope] = { of: 'links', ...counted, stored: old.length };
  }
  return { changes: changes.sort(), scopes };
}

/** JSON with its members in one order. */
export function sorted(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return JSON.stringify(Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
