/** What a job does to the store, semantic by semantic: real activities, real PostgreSQL, small files. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeEach(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterEach(() => bench[Symbol.asyncDispose]());

test('a first load leaves the rows of the files as typed resources with their links', async () => {
  const { contents, counts, rejects } = await bench.sync(peopleFiles());
  expect(rejects).toEqual([]);
  expect(counts).toMatchObject({ read: 11, inserted: 7, linksInserted: 10 });
  expect(contents).toMatchInlineSnapshot(`
    {
      "links": {
        "membership": [
          "ada → dev",
          "bob → ops",
          "cyd → dev",
          "cyd → ops",
        ],
        "organisation.parent": [
          "RD → HQ",
        ],
        "person.manager": [
          "ada → bob",
          "cyd → ada",
        ],
        "person.organisation": [
          "ada → RD",
          "bob → HQ",
          "cyd → RD",
        ],
      },
      "pending": {},
      "resources": {
        "organisation": {
          "HQ": {
            "code": "HQ",
            "name": "Head office",
          },
          "RD": {
            "code": "RD",
            "name": "Research",
          },
        },
        "person": {
          "ada": {
            "age": 36,
            "hired": "2020-02-01",
            "login": "ada",
            "name": "Ada",
          },
          "bob": {
            "age": 51,
            "hired": "2016-02-29",
            "login": "bob",
            "name": "Bob",
          },
          "cyd": {
            "hired": "2021-08-15",
            "login": "cyd",
            "name": "Cyd",
          },
        },
        "team": {
          "dev": {
            "code": "dev",
            "label": "Developers",
          },
          "ops": {
            "code": "ops",
            "label": "Operators",
          },
        },
      },
    }
  `);
});
