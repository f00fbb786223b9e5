/** The real SCIM service of the demo and the tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasScim2Server, startScim2Process } from '../../local/scim-service/scim2-server.ts';

test.runIf(hasScim2Server)('starts with a token that looks like an option', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-scim2-'));
  try {
    const server = await startScim2Process(directory, '-a_token');
    try {
      const answer = await fetch(`${server.url}/v2/Users`, {
        headers: { authorization: 'Bearer -a_token' },
      });
      expect(answer.status).toBe(200);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
