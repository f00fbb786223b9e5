// Writes the CSV files of the SAB example: the same bytes on every run, from one seed.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { csv } from './csv.ts';
import { seededRandom } from './random.ts';
import {
  firstNames,
  groups,
  headTitles,
  jobTitles,
  lastNames,
  lateOrganisation,
  organisations,
} from './vocabulary.ts';

interface User {
  userId: string;
  lastName: string;
  firstName: string;
  email: string;
  hireDate: string;
  status: 'A' | 'I';
  organisation: string;
  manager: string;
  jobTitle: string;
  phone: string;
}

/** The four files of one day, as rows of cells below a header. */
interface Day {
  users: User[];
  organisations: string[][];
  groups: string[][];
  /** `user_id, group_code`, one row per membership. */
  memberships: string[][];
}

const userHeader = [
  'user_id',
  'last_name',
  'first_name',
  'email',
  'hire_date',
  'status',
  'org_code',
  'manager_id',
  'job_title',
  'phone',
];
const peopleCount = 240;
/** Where day 1 repeats somebody: far enough from the first row to be believable. */
const repeatedAt = 150;

const seed = 0x5ab;
/** Started afresh by each `generateExample`, so that every call gives the same files. */
let random = seededRandom(seed);
const below = (limit: number) => Math.floor(random() * limit);
const twoDigits = (value: number) => String(value).padStart(2, '0');

function pick<T>(values: readonly T[]): T {
  return values[below(values.length)] as T;
}

/** Logins and mail addresses are ASCII; ł and ø do not decompose, so they are named. */
function ascii(text: string): string {
  const folded = text.normalize('NFD').replace(/[łŁ]/g, 'l').replace(/[øØ]/g, 'o');
  return folded.toLowerCase().replace(/[^a-z-]/g, '');
}

function newUser(taken: Set<string>, person: Pick<User, 'organisation' | 'manager' | 'jobTitle'>) {
  let lastName: string;
  let firstName: string;
  do {
    lastName = pick(lastNames);
    firstName = pick(firstNames);
  } while (taken.has(`${firstName} ${lastName}`));
  taken.add(`${firstName} ${lastName}`);
  const login = `${ascii(firstName).charAt(0)}${ascii(lastName).replaceAll('-', '')}`;
  let userId = login;
  for (let number = 2; taken.has(userId); number += 1) userId = `${login}${number}`;
  taken.add(userId);
  // 01 99 00 and 06 39 98 are the ranges France keeps for fiction: no phone rings anywhere.
  const range = below(3) === 0 ? '+33 6 39 98' : '+33 1 99 00';
  const user: User = {
    userId,
    lastName,
    firstName,
    email: `${ascii(firstName)}.${ascii(lastName)}@sab.example`,
    hireDate: `${twoDigits(1 + below(28))}/${twoDigits(1 + below(12))}/${2003 + below(23)}`,
    status: below(25) === 0 ? 'I' : 'A',
    phone: `${range} ${twoDigits(below(100))} ${twoDigits(below(100))}`,
    ...person,
  };
  return user;
}

/** One head per organisation, who reports to the head of the parent; everyone else to the head. */
function newUsers(taken: Set<string>): User[] {
  const heads = new Map<string, User>();
  const users: User[] = [];
  for (const [code, , parent] of organisations) {
    const manager = heads.get(parent)?.userId ?? '';
    const jobTitle = parent === '' ? 'Présidente-directrice générale' : pick(headTitles);
    const head = newUser(taken, { organisation: code, manager, jobTitle });
    heads.set(code, head);
    users.push({ ...head, status: 'A' });
  }
  const staffed = organisations.slice(1).map(([code]) => code);
  while (users.length < peopleCount) {
    const organisation = pick(staffed);
    const manager = heads.get(organisation)?.userId ?? '';
    users.push(newUser(taken, { organisation, manager, jobTitle: pick(jobTitles) }));
  }
  return users;
}

function newMemberships(users: readonly User[]): string[][] {
  const codes = groups.slice(1).map(([code]) => code);
  return users.flatMap(({ userId }) => {
    const chosen = new Set<string>(['TOUS']);
    for (let number = below(5); number > 0; number -= 1) chosen.add(pick(codes));
    return [...chosen].map((code) => [userId, code]);
  });
}

/** A staff member by place; the 25 heads come first and are never touched. */
function staff(users: readonly User[], place: number): User {
  const user = users[organisations.length + place];
  if (user === undefined) throw new Error(`The example has no staff member ${place}.`);
  return user;
}

/** Day 1, with its five faults: see the table in README.md. */
function dayOne(taken: Set<string>): Day {
  const users = newUsers(taken);
  const [left, right] = [staff(users, 10), staff(users, 11)];
  left.manager = right.userId;
  right.manager = left.userId;
  right.organisation = left.organisation;
  staff(users, 20).organisation = lateOrganisation[0];
  staff(users, 30).hireDate = '31/02/2021';
  const twice = staff(users, 40);
  const withoutGroups = new Set([staff(users, 30), twice]);
  const memberships = newMemberships(users.filter((user) => !withoutGroups.has(user)));
  memberships.splice(400, 0, ['jfantome', 'VPN']);
  users.splice(repeatedAt, 0, { ...twice, jobTitle: 'Alternant', organisation: 'FORM' });
  return {
    users,
    organisations: organisations.map((row) => [...row]),
    groups: groups.map((row) => [...row]),
    memberships,
  };
}

/** Somebody of day 1 by user id, as a copy to change. */
function change(day: Day, userId: string, changes: Partial<User>) {
  day.users = day.users.map((user) => (user.userId === userId ? { ...user, ...changes } : user));
}

/** Day 2, a normal day: it stays below every default limit. Counted in README.md. */
function dayTwo(first: Day, taken: Set<string>): Day {
  const people = first.users.toSpliced(repeatedAt, 1);
  const id = (place: number) => staff(people, place).userId;
  const groupsOf = (userId: string) => first.memberships.filter(([member]) => member === userId);
  const day: Day = {
    users: first.users,
    organisations: [...first.organisations, [...lateOrganisation]],
    groups: first.groups.map(([code = '', label = '', text = '']) => [
      code,
      code === 'PARC' ? 'Mobilités & parc automobile' : label,
      text,
    ]),
    memberships: first.memberships,
  };

  // Six people with a changed scalar value, two of whom also move; a seventh who only moves.
  change(day, id(50), { jobTitle: 'Responsable de production', manager: people[1]?.userId ?? '' });
  change(day, id(51), {
    lastName: 'Lefèvre-Ångström',
    email: `${ascii(staff(people, 51).firstName)}.lefevre-angstrom@sab.example`,
  });
  change(day, id(52), { phone: '+33 6 39 98 00 01' });
  change(day, id(53), { jobTitle: 'Cheffe de projet, "Horizon"', ...movedTo(people, id(53)) });
  change(day, id(54), { status: staff(people, 54).status === 'A' ? 'I' : 'A' });
  change(day, id(55), { email: `${id(55)}@sab.example` });
  change(day, id(56), movedTo(people, id(56)));
  change(day, id(30), { hireDate: '28/02/2021' });

  const leavers = people.slice(organisations.length + 60).filter(({ userId }) => {
    return groupsOf(userId).length === 2;
  });
  const left = new Set(leavers.slice(0, 2).map(({ userId }) => userId));
  day.users = day.users.filter(({ userId }) => !left.has(userId));

  const joiners = ['RD', 'DEV', 'LYON'].map((organisation) => {
    const manager = people.find((user) => user.organisation === organisation)?.userId ?? '';
    const joiner = newUser(taken, { organisation, manager, jobTitle: pick(jobTitles) });
    return { ...joiner, hireDate: '01/12/2025' };
  });
  day.users = [...day.users, ...joiners];

  const lost = new Set([id(57), id(58)].map((userId) => `${userId} TOUS`));
  const gained = [id(57), id(58)].map((userId) => [userId, freeGroup(groupsOf(userId))]);
  const joined = joiners.flatMap(({ userId }, index) =>
    (index < 2 ? ['TOUS', 'VPN'] : ['TOUS']).map((code) => [userId, code]),
  );
  day.memberships = [
    ...day.memberships.filter(([member = '', code]) => {
      return !left.has(member) && !lost.has(`${member} ${code}`);
    }),
    ...gained,
    ...joined,
    [id(30), 'TOUS'],
  ];
  return day;
}

/** Another organisation than the one of today; the manager stays, so that one link changes. */
function movedTo(people: readonly User[], userId: string): Pick<User, 'organisation'> {
  const today = people.find((user) => user.userId === userId)?.organisation;
  return { organisation: today === 'GC' ? 'PME' : 'GC' };
}

function freeGroup(memberships: readonly string[][]): string {
  const held = new Set(memberships.map(([, code]) => code));
  const free = groups.find(([code]) => !held.has(code));
  return free?.[0] ?? '';
}

function userRow(user: User): string[] {
  const { userId, lastName, firstName, email, hireDate, status } = user;
  const { organisation, manager, jobTitle, phone } = user;
  return [
    ...[userId, lastName, firstName, email, hireDate, status],
    ...[organisation, manager, jobTitle, phone],
  ];
}

function files(day: Day): Record<string, string> {
  return {
    'organisations.csv': csv(['code', 'name', 'parent_code', 'city'], day.organisations),
    'users.csv': csv(userHeader, day.users.map(userRow)),
    'groups.csv': csv(['code', 'label', 'description'], day.groups),
    'memberships.csv': csv(['user_id', 'group_code'], day.memberships),
  };
}

/** Day 2 again, but for the users file: each of these must be stopped before it does harm. */
function badDays(day: Day): Record<string, Record<string, string>> {
  const rows = day.users.map(userRow);
  const swapped = ['user_id', 'first_name', 'last_name', ...userHeader.slice(3)];
  const gone = userHeader.indexOf('org_code');
  const without = (row: readonly string[]) => row.filter((_, index) => index !== gone);
  const usersFiles = {
    'blank-file': '',
    'header-only': csv(userHeader, []),
    'swapped-headers': csv(swapped, rows),
    'missing-column': csv(without(userHeader), rows.map(without)),
  };
  return Object.fromEntries(
    Object.entries(usersFiles).map(([name, users]) => [
      `bad-days/${name}`,
      { ...files(day), 'users.csv': users },
    ]),
  );
}

/** The whole example: path below the example's folder → content. */
export function generateExample(): Record<string, string> {
  random = seededRandom(seed);
  const taken = new Set<string>();
  const first = dayOne(taken);
  const second = dayTwo(first, taken);
  const days = { 'day-1': files(first), 'day-2': files(second), ...badDays(second) };
  return Object.fromEntries(
    Object.entries(days).flatMap(([day, content]) =>
      Object.entries(content).map(([name, text]) => [`${day}/${name}`, text]),
    ),
  );
}

if (import.meta.main) {
  const directory = process.argv[2] ?? import.meta.dirname;
  for (const [name, text] of Object.entries(generateExample())) {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
    await writeFile(path.join(directory, name), text);
  }
}
