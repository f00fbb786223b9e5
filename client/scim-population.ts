/** The people and groups that are in a SCIM service before anybody thought of Lockstep. */
import type { ScimService } from '../local/scim-service/scim-service.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0';

/** Users, and groups with the user names of their members. */
export interface Population {
  readonly users: readonly Readonly<
    Record<'userName' | 'givenName' | 'familyName' | 'title' | 'mail', string>
  >[];
  readonly groups: readonly { readonly displayName: string; readonly members: readonly string[] }[];
}

/** Creates them, as an administrator of the service would. */
export async function populate(service: ScimService, { users, groups }: Population): Promise<void> {
  const ids = new Map<string, unknown>();
  for (const { mail, givenName, familyName, ...user } of users) {
    const { id } = await service.administer('POST', '/Users', {
      schemas: [`${core}:User`],
      ...user,
      name: { givenName, familyName },
      emails: [{ type: 'work', value: mail }],
      active: true,
    });
    ids.set(user.userName, id);
  }
  for (const { displayName, members } of groups) {
    await service.administer('POST', '/Groups', {
      schemas: [`${core}:Group`],
      displayName,
      members: members.map((member) => ({ value: ids.get(member) })),
    });
  }
}
