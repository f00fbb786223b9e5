/** What a value of a database becomes in an extraction: text in the one form that means the same everywhere. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { temporaryDatabase } from '../support/servers.ts';
import { exportedRows, query } from './sql-sources.ts';

const values: Readonly<Record<string, string>> = {
  'null::text': '',
  "''": '',
  true: 'true',
  false: 'false',
  '9223372036854775807::bigint': '9223372036854775807',
  '12345678901234567890.12345678901234567890::numeric': '12345678901234567890.12345678901234567890',
  '0.1::float8 + 0.2::float8': '0.30000000000000004',
  "date '2024-02-29'": '2024-02-29',
  "timestamptz '2026-03-29 02:30:00.123456+02'": '2026-03-29T00:30:00.123456+00:00',
  "timestamp '2026-03-29 02:30'": '2026-03-29T02:30:00',
  "interval '1 day 2 hours'": 'P1DT2H',
  "'12.30'::money": '12.30',
  '\'{"b": 1, "a": [true, null]}\'::json': '{"b": 1, "a": [true, null]}',
  "array['a', 'b,\"c']": '["a","b,\\"c"]',
  "row(1, 'x')": '{"f1":1,"f2":"x"}',
  "'\\x00ff'::bytea": 'AP8=',
  "'6f1c2c1e-0000-4000-8000-000000000000'::uuid": '6f1c2c1e-0000-4000-8000-000000000000',
  'E\'two\\r\\nlines, "quoted"\'': 'two\r\nlines, "quoted"',
  "'\\.'": '\\.',
  "'Łęcka 😀'": 'Łęcka 😀',
  "'x'::char(3)": 'x',
};

test('every type has its text', async () => {
  await using database = await temporaryDatabase();
  for (const [value, text] of Object.entries(values)) {
    const rows = await exportedRows(database.url, query(`select 1 as id, ${value} as v`));
    expect(rows, value).toEqual([
      ['id', 'v'],
      ['1', text],
    ]);
  }
});

test('whatever the settings of the database are', async () => {
  await using database = await temporaryDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const name = new URL(database.url).pathname.slice(1);
  await client.query(
    `alter database ${name} set datestyle = 'German'; alter database ${name} set timezone = 'Asia/Tokyo';
       alter database ${name} set bytea_output = 'escape'; alter database ${name} set extra_float_digits = 0;
       alter database ${name} set intervalstyle = 'postgres'`,
  );
  await client.end();
  const [, row] = await exportedRows(
    database.url,
    query(
      `select date '2024-02-29', timestamptz '2026-01-01 00:00+00', 0.1::float8 + 0.2::float8, interval '1 day'`,
    ),
  );
  expect(row).toEqual(['2024-02-29', '2026-01-01T00:00:00+00:00', '0.30000000000000004', 'P1D']);
});
