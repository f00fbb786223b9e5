// Tests of `lockstep explain` on a real store and real extractions: from the cell to the stored value.

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Lockstep } from '../../client/lockstep.ts';
import type { EntityTypeDocument } from '../../config/document.ts';
import { peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import type { SyncBench } from '../support/sync-bench.ts';
import { type ExplainBench, explained, openExplainBench } from './explain-bench.ts';

let opened: ExplainBench;
let bench: SyncBench;
beforeAll(async () => {
  opened = await openExplainBench();
  bench = opened.bench;
});
afterAll(() => opened[Symbol.asyncDispose]());

let lockstep: Lockstep;
beforeEach(async () => {
  await bench.reset(peopleConfiguration());
  lockstep = opened.lockstep;
});

const [ada, bob, cyd] = usualRows.people;

describe('a stored resource', () => {
  test('is told from line and cell over format and converted value to the job that wrote it', async () => {
    const job = await bench.sync(peopleFiles({ people: [ada, `bob," Bob ",29/02/2016,51,HQ,`] }));
    const explanation = await lockstep.explain('person', 'bob');
    expect(explanation).toMatchObject({
      state: 'stored',
      notes: [],
      source: {
        connector: 'sab',
        job: job.id,
        extraction: job.extraction,
        source: 'people.csv',
        places: [{ file: 'people.csv', line: 3 }],
        missing: null,
      },
      lastChange: { job: job.id, change: 'insert', trigger: 'person', reason: 'reviewed' },
    });
    expect(explained(explanation, 'hired')).toMatchObject({
      column: 'hired',
      raw: '29/02/2016',
      format: 'a date written as dd/MM/yyyy',
      converted: '2016-02-29',
      stored: '2016-02-29',
      isAsRead: true,
      why: null,
      lastChange: { job: job.id, before: null, after: '2016-02-29', decidedBy: 'somebody@bench' },
    });
    expect(explained(explanation, 'name')).toMatchObject({ raw: ' Bob ', converted: 'Bob' });
    expect(explained(explanation, 'age')).toMatchObject({
      format: 'a whole number',
      converted: 51,
      isAsRead: true,
    });
    expect(explained(explanation, 'organisation')).toMatchObject({
      references: 'organisation',
      format: 'a key of organisation, text',
      raw: 'HQ',
      stored: 'HQ',
      isAsRead: true,
      lastChange: { job: job.id, after: 'HQ' },
    });
    // A blank cell has no value, and none is stored.
    expect(explained(explanation, 'manager')).toMatchObject({
      raw: '',
      converted: null,
      stored: null,
      isAsRead: true,
    });
  });

  test('of a property, the last job that changed just that one is told', async () => {
    const first = await bench.sync(peopleFiles());
    const second = await bench.sync(
      peopleFiles({ people: [ada.replace('36', '37').replace(',bob', ',cyd'), bob, cyd] }),
    );
    const third = await bench.sync(
      peopleFiles({
        people: [ada.replace('36', '37').replace('Ada,', 'Eve,').replace(',bob', ',cyd'), bob, cyd],
      }),
    );
    const explanation = await lockstep.explain('person', 'ada');
    expect(explained(explanation, 'hired')?.lastChange?.job).toBe(first.id);
    expect(explained(explanation, 'age')?.lastChange).toMatchObject({
      job: second.id,
      before: 36,
      after: 37,
      line: 2,
    });
    expect(explained(explanation, 'manager')?.lastChange).toMatchObject({
      job: second.id,
      before: 'bob',
      after: 'cyd',
    });
    expect(explained(explanation, 'name')?.lastChange?.job).toBe(third.id);
    const [alone, ...others] = (await lockstep.explain('person', 'ada', 'age')).properties;
    expect([alone?.property, others]).toEqual(['age', []]);
  });

  test('of its links, which line of which job made each, seen from both ends', async () => {
    const first = await bench.sync(peopleFiles());
    const second = await bench.sync(
      peopleFiles({ memberships: [...usualRows.memberships, 'ada,ops'] }),
    );
    const { links } = await lockstep.explain('person', 'ada', 'teams');
    expect(links).toMatchObject([
      {
        association: 'membership',
        entityType: 'team',
        key: 'dev',
        line: 2,
        origin: { job: first.id },
      },
      {
        association: 'membership',
        entityType: 'team',
        key: 'ops',
        line: 6,
        origin: { job: second.id },
      },
    ]);
    const back = await lockstep.explain('team', 'ops', 'members');
    expect(back.links.map(({ key, line }) => [key, line])).toEqual([
      ['ada', 6],
      ['bob', 3],
      ['cyd', 5],
    ]);
    // And on: from the team to another of its people.
    expect((await lockstep.explain('person', 'cyd', 'teams')).links.map(({ key }) => key)).toEqual([
      'dev',
      'ops',
    ]);
  });

  test('that somebody else edited is told as such, with what the row says', async () => {
    await bench.sync(peopleFiles());
    await bench.store.pool.query(
      `update resource set attributes = attributes || '{"name": "Eve"}' where key = 'ada'`,
    );
    const explanation = await lockstep.explain('person', 'ada');
    expect(explanation.notes[0]).toContain('Somebody other than Lockstep has written to it');
    expect(explained(explanation, 'name')).toMatchObject({
      raw: 'Ada',
      stored: 'Eve',
      isAsRead: false,
      why: 'somebody other than Lockstep has written to it since',
    });
    expect(explained(explanation, 'age')?.isAsRead).toBe(true);
  });

  test('whose row was set aside keeps what is stored, and the reject says why', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(
      peopleFiles({ people: [ada.replace('01/02', '31/02'), bob, cyd] }),
    );
    const explanation = await lockstep.explain('person', 'ada');
    expect(explanation.state).toBe('stored');
    expect(explanation.notes[0]).toBe(
      `${job.id} set its row aside: hired is not a date written as dd/MM/yyyy (ValueInvalid); what is stored was kept as it was.`,
    );
    expect(explained(explanation, 'hired')).toMatchObject({
      raw: '31/02/2020',
      problem: 'is not a date written as dd/MM/yyyy',
      stored: '2020-02-01',
      isAsRead: null,
      why: 'it is not a date written as dd/MM/yyyy, so its row was set aside',
    });
    expect(explanation.rejects).toMatchObject([
      { job: job.id, file: 'people.csv', line: 2, column: 'hired', value: '31/02/2020' },
    ]);
  });

  test('whose key is on several rows is told with all of them', async () => {
    await bench.sync(peopleFiles());
    await bench.sync(peopleFiles({ people: [ada, bob, ada.replace('Ada', 'Eve'), cyd] }));
    const { source, notes } = await lockstep.explain('person', 'ada');
    expect(source?.places.map(({ line }) => line)).toEqual([2, 4]);
    expect(notes.join()).toContain('2 rows of people.csv have its key, so none of them was used');
  });

  test('a link that waits for its target is told as pending', async () => {
    await bench.sync(peopleFiles({ people: [ada.replace(',bob', ',zed'), bob, cyd] }));
    const explanation = await lockstep.explain('person', 'ada');
    expect(explained(explanation, 'manager')).toMatchObject({
      raw: 'zed',
      stored: null,
      isAsRead: false,
      why: 'the link waits for zed',
    });
    expect(explanation.pendingLinks).toEqual([
      { property: 'manager', entityType: 'person', key: 'zed' },
    ]);
    expect(await lockstep.explain('person', 'zed')).toMatchObject({
      state: 'pending',
      pendingLinks: [{ property: 'person.manager', key: 'ada' }],
    });
  });

  test('an extraction that is newer and was not loaded is told with its cells', async () => {
    await bench.sync(peopleFiles());
    const waiting = await bench.prepare(
      peopleFiles({ people: [ada.replace('36', '37'), bob, cyd] }),
    );
    const explanation = await lockstep.explain('person', 'ada');
    expect(explanation.notes.join()).toContain(
      `A newer extraction, ${waiting.extraction}, was not loaded (${waiting.id} is running); line 2 of people.csv has its key.`,
    );
    expect(explained(explanation, 'age')).toMatchObject({
      raw: '36',
      isAsRead: true,
      newer: { raw: '37', converted: 37 },
    });
    expect(explained(explanation, 'name')?.newer).toBeNull();
    await waiting.end();
  });

  test('an expression is told with what it is made from', async () => {
    const document = peopleConfiguration();
    const person = document.entityTypes['person'] as EntityTypeDocument;
    const label = { expression: 'name & " (" & hired & ")"' };
    bench.configure({
      ...document,
      entityTypes: {
        ...document.entityTypes,
        person: { ...person, properties: { ...person.properties, label } },
      },
    });
    await bench.sync(peopleFiles());
    expect(explained(await lockstep.explain('person', 'ada'), 'label')).toMatchObject({
      column: null,
      expression: label.expression,
      inputs: { name: 'Ada', hired: '2020-02-01' },
      stored: 'Ada (2020-02-01)',
      isAsRead: null,
      why: 'expressions are evaluated by a worker only',
    });
  });

  test('is told without its row when the extraction is elsewhere, was purged or was touched', async () => {
    const job = await bench.sync(peopleFiles());
    const file = join(bench.extractions, job.extraction, 'people.csv');
    await writeFile(file, 'id,name,hired,age,org,boss\nada,Mallory,01/02/2020,36,RD,bob\n');
    const touched = await lockstep.explain('person', 'ada');
    expect(touched.source?.missing).toContain('is not what the export wrote');
    expect(explained(touched, 'name')).toMatchObject({ raw: null, stored: 'Ada', isAsRead: null });
    await rm(join(bench.extractions, job.extraction), { recursive: true });
    const purged = await lockstep.explain('person', 'ada');
    expect(purged.source?.missing).toContain('is not there');
    expect(explained(purged, 'name')?.lastChange).toMatchObject({ job: job.id, after: 'Ada' });
  });

  test('says when lockstep.yaml maps its type in another way since', async () => {
    await bench.sync(peopleFiles());
    const document = peopleConfiguration();
    (document.entityTypes['person'] as { properties: Record<string, object> }).properties['age'] = {
      column: 'age',
      type: 'string',
    };
    await writeFile(opened.configurationFile, JSON.stringify(document));
    const explanation = await lockstep.explain('person', 'ada');
    expect(explanation.notes.join()).toContain(
      'lockstep.yaml maps this entity type in another way',
    );
    expect(explained(explanation, 'age')?.converted).toBe(36);
  });
});
