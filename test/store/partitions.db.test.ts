/** Tables of their own for entity types and navigation properties: who makes them, and what came before them. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { readMigrations } from '../../store/migrate.ts';
import { migratedDatabase, temporaryDatabase } from '../support/servers.ts';

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

const oneType = `
  insert into entity_type (id, name, key, properties) values (1, 'person', 'login', '{}');
  insert into navigation_property (id, scope, connector, from_entity_type_id, to_entity_type_id, property, single_valued)
    values (1, 'friend', 'hr', 1, 1, 'friends', false);
  insert into job (id, run_id, connector, mode, state, simulated, trigger)
    values ('job-1', 'r', 'hr', 'complete', 'succeeded', false, 'person');
  insert into delta (id, job_id, extraction, digest, counts, entity_types, associations, breaches, diagnoses, applied_at)
    values (7, 'job-1', 'e', 'd', '{}', '{}', '{}', '[]', '[]', now())`;

test('what was stored before there were partitions is in them afterwards', async () => {
  await using database = await temporaryDatabase();
  const client = await connect(database.url);
  try {
    const { migrationDirectories } = await readMigrations();
    const scripts = migrationDirectories.map(({ migrationFile }) => migrationFile.content.value);
    const at = scripts.findIndex((script) => script.includes('PARTITION BY'));
    for (const script of scripts.slice(0, at)) await client.query(script);
    await client.query(`${oneType};
      insert into resource (id, entity_type_id, key, attributes, source_digest, changed_by)
        values (1, 1, 'ada', '{"login": "ada"}', '00000000-0000-0000-0000-000000000001', 'job-1'), (2, 1, 'bob', '{}', null, null);
      select setval('resource_id_seq', 2);
      insert into link (navigation_property_id, from_id, to_id, changed_by) values (1, 1, 2, 'job-1')`);
    for (const script of scripts.slice(at)) await client.query(script);
    const resources = await client.query(
      'select id, key, attributes, source_digest, delta_id from resource_1 order by id',
    );
    expect(resources.rows).toEqual([
      {
        id: '1',
        key: 'ada',
        attributes: { login: 'ada' },
        source_digest: '00000000-0000-0000-0000-000000000001',
        delta_id: '7',
      },
      { id: '2', key: 'bob', attributes: {}, source_digest: null, delta_id: null },
    ]);
    const links = await client.query('select from_id, to_id, delta_id from link_1');
    expect(links.rows).toEqual([{ from_id: '1', to_id: '2', delta_id: '7' }]);
    const next = await client.query(
      `insert into resource (entity_type_id, key, attributes) values (1, 'cyd', '{}') returning id`,
    );
    expect(next.rows).toEqual([{ id: '3' }]);
  } finally {
    await client.end();
  }
});

test('a worker that owns no table loads for the first time; who may not insert cannot', async () => {
  await using database = await migratedDatabase();
  const owner = await connect(database.url);
  const worker = `worker_${process.pid}`;
  const reader = `reader_${process.pid}`;
  try {
    await owner.query(`${oneType};
      create role ${worker}; create role ${reader};
      grant select, insert, update, delete on all tables in schema public to ${worker};
      grant usage on all sequences in schema public to ${worker};
      alter default privileges in schema public grant select, insert, update, delete on tables to ${worker};
      grant select on all tables in schema public to ${reader}`);
    await owner.query(`set session authorization ${worker}`);
    await owner.query(
      `insert into resource_change (delta_id, entity_type_id, key, change, after)
       values (7, 1, 'ada', 'insert', '{}'), (7, 1, 'bob', 'insert', '{}')`,
    );
    await owner.query(
      `insert into link_change (delta_id, navigation_property_id, change, from_key, to_key)
       values (7, 1, 'insert', 'ada', 'bob'), (7, 1, 'insert', 'ada', 'nobody')`,
    );
    await owner.query(`set session authorization ${reader}`);
    const refused = { code: '42501' };
    await expect(owner.query('select load_first_resources(1, 7)')).rejects.toMatchObject(refused);
    await expect(owner.query('select load_first_links(1, 7)')).rejects.toMatchObject(refused);
    await owner.query(`set session authorization ${worker}`);
    await expect(owner.query(`select attach_first_load('link', 'x', 1)`)).rejects.toMatchObject(
      refused,
    );
    const loaded = await owner.query(
      'select load_first_resources(1, 7) as resources, load_first_links(1, 7) as links',
    );
    expect(loaded.rows).toEqual([{ resources: '2', links: '1' }]);
    await owner.query(`update resource set attributes = '{"edited": true}' where key = 'ada'`);
    const edits = await owner.query(`select scope from edit`);
    expect(edits.rows).toEqual([{ scope: 'r1' }]);
  } finally {
    await owner.query('reset session authorization');
    await owner.query(`drop owned by ${worker}, ${reader}; drop role ${worker}, ${reader}`);
    await owner.end();
  }
});
