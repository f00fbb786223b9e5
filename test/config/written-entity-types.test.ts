/** Entity types that are written, or linked to from one that is, are imported with their ids. */
import { expect, test } from 'vitest';
import { parseConfiguration } from '../../config/configuration.ts';
import { crmConfiguration } from '../fixtures/crm.ts';

test('accounts that nothing is written of have their id when they are members of a team that is written', () => {
  const { mappings, ...rest } = crmConfiguration('https://crm.example.com');
  const inbound = { source: 'account', target: 'user', properties: { userName: 'userName' } };
  const document = { ...rest, mappings: { roleToTeam: mappings?.['roleToTeam'], inbound } };
  const source = { version: '1', document, directory: '/' };
  const { entityTypes } = parseConfiguration(source, { CRM_TOKEN: 'secret' });
  for (const name of ['account', 'team']) {
    expect(entityTypes.get(name)?.properties).toContainEqual({
      kind: 'scalar',
      name: 'id',
      origin: { from: 'column', column: 'id' },
      format: { type: 'string' },
    });
  }
});
