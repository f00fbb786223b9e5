/** The first reference: `\copy` of the files into new unlogged tables of text columns, and nothing else. */
import { columns, files } from '../generate-data.ts';
import { rowsOfSchema } from '../row-digest.ts';
import { withClient } from '../server.ts';
import type { Tool } from '../tool.ts';
import type { SqlRunner } from './sql-script.ts';

export function copyReference(runner: SqlRunner): Tool {
  return {
    name: 'copy',
    title: runner.title.startsWith('psql') ? '`psql \\copy`' : '`COPY` (pg-copy-streams)',
    keepsDeletedRows: false,
    async open({ databaseUrl, signal }) {
      return {
        rows: rowsOfSchema('public'),
        async load(_phase, paths) {
          await withClient(databaseUrl, signal, async (client) => {
            for (const name of files) {
              const typed = columns[name].map((column) => `${column} text`);
              await client.query(`drop table if exists ${name}`);
              await client.query(`create unlogged table ${name} (${typed})`);
            }
          });
          const script = files.map((name) => ({ into: name, path: paths[name] }));
          return { seconds: await runner.run(script, databaseUrl, signal) };
        },
      };
    },
  };
}
