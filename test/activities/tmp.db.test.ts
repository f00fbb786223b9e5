import { afterAll, beforeAll, expect, test } from 'vitest';
import { filesOf } from '../fixtures/arbitrary-days.ts';
import { peopleConfiguration } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';
let bench: SyncBench;
beforeAll(async () => { bench = await openSyncBench(peopleConfiguration()); });
afterAll(() => bench[Symbol.asyncDispose]());
test('x', async () => {
  const [a, b] = [{"organisations":[["HQ","Ada","HQ"]],"people":[["d d","Ada","01/02/2020","1","HQ","nobody"]],"teams":[["ops","  padded "],["équipe","  padded "],["0","Ada"]],"memberships":[["nobody","0"],["bob","dev"],["o'neil","0"]]},{"organisations":[["HQ","semi;colon, comma","HQ"],["RD","",""]],"people":[["bob","","","44","HQ","nobody"],["Zoé","Łucja \"Lu\" Ñ","","","","nobody"],["d d","two\nlines","29/02/2024","1","RD","ada"],["ada","semi;colon, comma","29/02/2024","","É, \"1\"","ada"],["o'neil","Ada","","","x\ny","ada"]],"teams":[["0","😀"],["équipe","\\N \\t"]],"memberships":[["Zoé","équipe"],["Zoé","dev"],["d d","0"],["d d","dev"],["nobody","dev"],["Zoé","0"],["ada","équipe"],["o'neil","équipe"],["bob","nothing"]]}];
  await bench.reset(peopleConfiguration());
  await bench.sync(filesOf(a));
  await bench.sync(filesOf(b));
  const j = await bench.prepare(filesOf(a));
  await j.resume();
  console.log(JSON.stringify(j.changes.filter((c)=>'association' in c),null,1));
  console.log(j.digest, await j.load());
});
