// Tests of choosing a free port.

import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../local/port.ts';

let holder: Server | undefined;
afterEach(
  () => new Promise<void>((resolve) => (holder ? holder.close(() => resolve()) : resolve())),
);

test('the preferred port is taken when it is free', async () => {
  const port = await freePort();
  expect(await freePort(port)).toBe(port);
});

test.each(['127.0.0.1', '0.0.0.0'])(
  'another port is found when somebody listens on the preferred one at %s',
  async (host) => {
    const port = await freePort();
    const server = createServer();
    holder = server;
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    const found = await freePort(port);
    expect(found).not.toBe(port);
    expect(await freePort(found)).toBe(found);
  },
);
