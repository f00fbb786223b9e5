/**
 * The second reference: what somebody who knows PostgreSQL well would write by hand for just these files. Typed columns,
 * surrogate ids, all indexes; each phase is one transaction. It keeps no history, asks nobody and survives nothing.
 */
import type { DayFiles } from '../data-cache.ts';
import { columns } from '../generate-data.ts';
import type { Phase } from '../phase.ts';
import type { Tool } from '../tool.ts';
import type { SqlRunner, SqlScript } from './sql-script.ts';

/** The hand that wrote this would also give its session the memory it needs. */
const session = [
  `set datestyle = 'ISO, DMY'`,
  `set client_min_messages = warning`,
  `set work_mem = '256MB'`,
  `set maintenance_work_mem = '512MB'`,
];

const userColumns = columns.users
  .map((column) => `${column} ${column === 'hired' ? 'date' : 'text'} not null`)
  .join(', ');
const attributes = columns.users.filter((column) => column !== 'login');
const attributesOf = (alias: string) => attributes.map((name) => `${alias}.${name}`).join(', ');

/** The ids of the memberships that were staged. */
const stagedIds = `select u.id as user_id, g.id as group_id
  from new_membership m join users u using (login) join groups g using (code)`;

/** What is done the same way on every day: copy into staging, then insert, then index. */
function stagedCopies(files: DayFiles): SqlScript {
  return [
    `create unlogged table new_user (${userColumns})`,
    'create unlogged table new_group (code text not null, label text not null)',
    { into: 'new_user', path: files.users, freeze: true },
    { into: 'new_group', path: files.groups, freeze: true },
    `insert into users (${columns.users}) select ${columns.users} from new_user`,
    'insert into groups (code, label) select code, label from new_group',
    'drop table new_user, new_group',
  ];
}

/** Straight into the tables, which makes staging superfluous for users and groups, but can only be done once. */
function directCopies(files: DayFiles): SqlScript {
  return [
    { into: `users (${columns.users})`, path: files.users, freeze: true },
    { into: 'groups (code, label)', path: files.groups, freeze: true },
  ];
}

function firstLoad(files: DayFiles, copies: SqlScript): SqlScript {
  return [
    ...session,
    'begin',
    `create table users (id bigint generated always as identity, ${userColumns},
       active boolean not null generated always as (status = 'A') stored)`,
    'create table groups (id bigint generated always as identity, code text not null, label text not null)',
    'create unlogged table new_membership (login text, code text)',
    ...copies,
    { into: 'new_membership', path: files.memberships, freeze: true },
    // Unlike INSERT … SELECT, this may use more than one process.
    `create table memberships as ${stagedIds}`,
    'drop table new_membership',
    'alter table users add primary key (id)',
    'alter table groups add primary key (id)',
    'alter table memberships add primary key (user_id, group_id)',
    'create unique index on users (login)',
    'create unique index on groups (code)',
    'create index on memberships (group_id)',
    'analyze users, groups, memberships',
    'commit',
  ];
}

/** All staged, compared by one full join each, and only the difference applied. */
function nextLoad(files: DayFiles): SqlScript {
  return [
    ...session,
    'begin',
    `create unlogged table new_user (${userColumns})`,
    'create unlogged table new_group (code text not null, label text not null)',
    'create unlogged table new_membership (login text, code text)',
    { into: 'new_user', path: files.users, freeze: true },
    { into: 'new_group', path: files.groups, freeze: true },
    { into: 'new_membership', path: files.memberships, freeze: true },
    `create temp table user_change as
     select u.id, n.* from new_user n full join users u on u.login = n.login
     where n.login is null or u.id is null or (${attributesOf('n')}) is distinct from (${attributesOf('u')})`,
    'delete from users u using user_change c where c.login is null and u.id = c.id',
    `update users u set (${attributes}) = row (${attributesOf('c')})
     from user_change c where c.login is not null and u.id = c.id`,
    `insert into users (${columns.users}) select ${columns.users} from user_change where id is null`,
    `create temp table group_change as
     select g.id, n.* from new_group n full join groups g on g.code = n.code
     where n.code is null or g.id is null or n.label is distinct from g.label`,
    'delete from groups g using group_change c where c.code is null and g.id = c.id',
    'update groups g set label = c.label from group_change c where c.code is not null and g.id = c.id',
    'insert into groups (code, label) select code, label from group_change where id is null',
    `create temp table membership_change as
     select n.user_id as new_user_id, n.group_id as new_group_id, m.user_id, m.group_id
     from (${stagedIds}) n
     full join memberships m on m.user_id = n.user_id and m.group_id = n.group_id
     where n.user_id is null or m.user_id is null`,
    `delete from memberships m using membership_change c
     where c.new_user_id is null and m.user_id = c.user_id and m.group_id = c.group_id`,
    `insert into memberships
     select new_user_id, new_group_id from membership_change where new_user_id is not null`,
    'drop table new_user, new_group, new_membership',
    'commit',
  ];
}

const userTexts = columns.users.map((column) =>
  column === 'hired' ? `to_char(hired, 'DD/MM/YYYY')` : column,
);

/** The two ways of the first load: through staging as on every other day, or straight into the tables. */
const variants = {
  sql: { title: 'set-based SQL', copies: stagedCopies },
  freeze: { title: 'set-based SQL, COPY FREEZE', copies: directCopies },
} as const;

export function setBasedSql(runner: SqlRunner, name: keyof typeof variants): Tool {
  const { title, copies } = variants[name];
  return {
    name,
    title,
    keepsDeletedRows: false,
    async open({ databaseUrl, signal }) {
      return {
        rows: {
          users: `select ${userTexts} from users where active = (status = 'A')`,
          groups: 'select code, label from groups',
          memberships: `select u.login, g.code from memberships m
            join users u on u.id = m.user_id join groups g on g.id = m.group_id`,
        },
        async load(phase: Phase, files) {
          const first = phase.name === 'first load';
          const script = first ? firstLoad(files, copies(files)) : nextLoad(files);
          return { seconds: await runner.run(script, databaseUrl, signal) };
        },
      };
    },
  };
}
