/** One in a hundred changes of files, pushed to the SCIM service that agreed with them: in requests, seconds and memory. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lockstep } from '../client/lockstep.ts';
import type { JobDocument } from '../engine/job.ts';
import { type PopulationRows, type PopulationSize, pushes, rowsOf } from './scim-population.ts';

/** Where files are changed, and what is asked of the service then. */
export interface PushPlace {
  readonly client: Lockstep;
  /** Of lockstep.yaml. */
  readonly home: string;
  readonly size: PopulationSize;
  /** `PATCH /v2/Users/1`: every request so far, in order. */
  readonly requests: readonly string[];
}

/** What a push took. */
export interface Push {
  readonly name: string;
  readonly seconds: number;
  /** Method and place → how many. */
  readonly requests: Readonly<Record<string, number>>;
  /** The fewest requests that could have done it. */
  readonly fewest: number;
  /** What it changed. */
  readonly changes: string;
}

/** As many operations as go into one request, and resources into one that reads them back. */
const together = { written: 100, read: 50 } as const;

/** Three requests tell what the service is; the others are those of RFC 7644 §3.7, and what reads them back. */
function fewestToPush(written: number, deleted: number): number {
  const writes = Math.ceil((written + deleted) / together.written);
  return writes === 0 ? 0 : 3 + writes + Math.ceil(written / together.read);
}

/** Has the files agree with the service, then changes one in a hundred of them, pushes that, and then nothing. */
export async function* pushChanges(place: PushPlace): AsyncGenerator<Push> {
  const { client, home, size } = place;
  await mkdir(join(home, 'hr'));
  const rows = rowsOf(size);
  await writeRows(home, rows);
  requireChanges(await toItsEnd(client, await client.run('hr')), size.users + size.groups);
  yield await pushed(place, 'files that agree: matched', { people: 0, teams: 0, links: 0 });
  const changes = change(rows);
  await writeRows(home, rows);
  await toItsEnd(client, await client.run('hr'));
  yield await pushed(place, '1 % changed', changes);
  yield await pushed(place, 'unchanged', { people: 0, teams: 0, links: 0 });
}

/** How many people and teams change, and memberships of these. */
interface Changes {
  readonly people: number;
  readonly teams: number;
  readonly links: number;
}

/** Reconciles both mappings, which must change so much. */
async function pushed(
  { client, requests }: PushPlace,
  name: string,
  expected: Changes,
): Promise<Push> {
  const before = requests.length;
  const started = performance.now();
  const people = await toItsEnd(client, await client.reconcile(pushes.people));
  const teams = await toItsEnd(client, await client.reconcile(pushes.teams));
  const seconds = (performance.now() - started) / 1000;
  const { counts } = people;
  requireChanges(people, expected.people);
  const links = teams.counts.linksInserted + teams.counts.linksDeleted;
  if (links !== expected.links) throw new Error(`${links} links, not ${expected.links}`);
  const kinds = requests
    .slice(before)
    .map((each) => each.replace(/\/v2\/(Users|Groups)\/[^/]+$/, '/v2/$1/…').replace('/v2/', ''));
  const groups = [...Map.groupBy(kinds, (kind) => kind)];
  const counted = groups.map(([kind, all]) => [kind, all.length] as const);
  return {
    name,
    seconds,
    requests: Object.fromEntries(counted),
    fewest:
      fewestToPush(counts.inserted + counts.updated, counts.deleted) +
      fewestToPush(expected.teams, 0),
    changes: `${counts.inserted} users created, ${counts.updated} changed, ${counts.deleted} deleted, ${links} memberships`,
  };
}

async function toItsEnd(client: Lockstep, job: JobDocument): Promise<JobDocument> {
  const ended =
    job.state === 'blocked' ? await client.resume(job.job, { reason: 'benchmark' }) : job;
  if (ended.state !== 'succeeded') throw new Error(`${ended.job}: ${ended.state}`);
  return ended;
}

function requireChanges({ job, counts }: JobDocument, expected: number): void {
  const found = counts.inserted + counts.updated + counts.deleted;
  if (found !== expected) throw new Error(`${job}: ${found} changes, not ${expected}`);
}

/** Of a hundred users one is changed, created or deleted (8 : 1 : 1), and of a hundred memberships one comes or goes. */
function change({ people, teams }: PopulationRows): Changes {
  const names = [...people.keys()];
  const changed = Math.max(3, Math.round(names.length / 100));
  const members = [...teams.values()];
  const isMember = (name: string) => members.some((team) => team.has(name));
  let links = 0;
  for (let nth = 0; nth < changed; nth++) {
    const name = names[(nth * 97) % names.length] as string;
    const row = people.get(name) as Readonly<Record<string, string>>;
    if (nth % 10 === 1) {
      people.set(`new${nth}`, { ...row, userName: `new${nth}`, mail: `new${nth}@example.com` });
    } else if (nth % 10 === 2 && !isMember(name)) {
      people.delete(name);
    } else {
      people.set(name, { ...row, title: `Title ${nth}` });
    }
  }
  const wanted = members.reduce((sum, team) => sum + team.size, 0) / 100;
  for (const [nth, team] of members.entries()) {
    if (links >= wanted) break;
    const [leaving] = team;
    const coming = names.find((name, at) => at >= nth * 31 && !team.has(name) && people.has(name));
    if (leaving === undefined || coming === undefined) continue;
    team.delete(leaving);
    team.add(coming);
    links += 2;
  }
  return { people: changed, teams: links / 2, links };
}

async function writeRows(home: string, { people, teams }: PopulationRows): Promise<void> {
  const [first = {}] = people.values();
  const header = Object.keys(first);
  const lines = [...people.values()].map((row) => header.map((name) => row[name]).join(','));
  const memberships = [...teams].flatMap(([name, team]) =>
    [...team].map((user) => `${name},${user}`),
  );
  const files = {
    'people.csv': [header.join(','), ...lines],
    'teams.csv': ['name', ...teams.keys()],
    'memberships.csv': ['name,userName', ...memberships],
  };
  for (const [file, text] of Object.entries(files)) {
    await writeFile(join(home, 'hr', file), `${text.join('\n')}\n`);
  }
}
