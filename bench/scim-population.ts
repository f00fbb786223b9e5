/** People and groups of a SCIM service, the same at every run. */

/** How many there are. */
export interface PopulationSize {
  readonly users: number;
  readonly groups: number;
  /** Of each group. */
  readonly members: number;
}

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const core = 'urn:ietf:params:scim:schemas:core:2.0';

/** The mappings by which the files are pushed. */
export const pushes = { people: 'person_account', teams: 'unit_team' } as const;

/** The users, in order. */
export function usersOf({ users }: PopulationSize): Record<string, unknown>[] {
  return Array.from({ length: users }, (_, index) => ({
    schemas: [`${core}:User`, enterprise],
    userName: `user${index}`,
    name: { givenName: `Given ${index % 500}`, familyName: `Family ${index}` },
    displayName: `Given ${index % 500} Family ${index}`,
    title: index % 7 === 0 ? 'Engineer' : 'Clerk',
    active: index % 50 !== 0,
    emails: [
      { value: `user${index}@example.com`, type: 'work', primary: true },
      { value: `user${index}@home.example.com`, type: 'home' },
    ],
    [enterprise]: { employeeNumber: `${100_000 + index}`, department: `Department ${index % 40}` },
  }));
}

/** The groups, in order. @param ids of the users, in order */
export function groupsOf(
  { groups, members }: PopulationSize,
  ids: readonly string[],
): Record<string, unknown>[] {
  const next = minimalStandard(1);
  return Array.from({ length: groups }, (_, index) => {
    const chosen = new Set<string>();
    while (chosen.size < Math.min(members, ids.length)) chosen.add(ids[next() % ids.length] ?? '');
    return {
      schemas: [`${core}:Group`],
      displayName: `group${index}`,
      members: [...chosen].map((value) => ({ value, type: 'User' })),
    };
  });
}

/** Park and Miller's generator. */
function minimalStandard(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state;
  };
}

/** Rows of the files that say the same people and groups, by their keys. */
export interface PopulationRows {
  /** User name → its row. */
  readonly people: Map<string, Readonly<Record<string, string>>>;
  /** Group → user names. */
  readonly teams: Map<string, Set<string>>;
}

/** What files hold that agree with the service. */
export function rowsOf(size: PopulationSize): PopulationRows {
  const users = usersOf(size);
  const names = users.map(({ userName }) => String(userName));
  const people = users.map((user, index) => {
    const { givenName, familyName } = user['name'] as Record<string, string>;
    const { employeeNumber, department } = user[enterprise] as Record<string, string>;
    const { userName, title, active } = user;
    const mail = `user${index}@example.com`;
    const row = {
      userName,
      givenName,
      familyName,
      title,
      mail,
      active,
      employeeNumber,
      department,
    };
    const texts = Object.entries(row).map(([name, value]) => [name, String(value)] as const);
    return [String(userName), Object.fromEntries(texts)] as const;
  });
  const teams = groupsOf(size, names).map(({ displayName, members }) => {
    const values = (members as { value: string }[]).map(({ value }) => value);
    return [String(displayName), new Set(values)] as const;
  });
  return { people: new Map(people), teams: new Map(teams) };
}

/** lockstep.yaml for them; JSON is YAML. */
export function scimConfiguration(endpoint: string): string {
  const properties = {
    userName: { path: 'userName' },
    givenName: { path: 'name.givenName' },
    familyName: { path: 'name.familyName' },
    title: { path: 'title' },
    mail: { path: 'emails[type eq "work"].value' },
    active: { path: 'active', type: 'boolean' },
    employeeNumber: { path: `${enterprise}:employeeNumber` },
    department: { path: `${enterprise}:department` },
  };
  return JSON.stringify({
    connectors: {
      crm: {
        kind: 'scim',
        endpoint,
        auth: { type: 'bearer', token: `\${SCIM_BENCH_TOKEN}` },
        incremental: 'lastModified',
        // Everything was made just now, within any usual overlap.
        overlap: '1s',
        schedules: { complete: 'never', incremental: 'never' },
      },
      hr: { kind: 'csv', directory: './hr', schedules: { complete: 'never' } },
    },
    entityTypes: {
      person: {
        connector: 'hr',
        source: 'people.csv',
        key: 'userName',
        properties: Object.fromEntries(
          Object.keys(properties).map((name) => [
            name,
            name === 'active' ? { column: name, type: 'boolean' } : { column: name },
          ]),
        ),
      },
      unit: {
        connector: 'hr',
        source: 'teams.csv',
        key: 'name',
        properties: { name: { column: 'name' } },
      },
      account: { connector: 'crm', source: 'User', key: 'userName', properties },
      team: {
        connector: 'crm',
        source: 'Group',
        key: 'displayName',
        properties: { displayName: { path: 'displayName' } },
      },
    },
    associations: {
      member: {
        connector: 'crm',
        source: 'Group.members',
        from: { entityType: 'team', property: 'members' },
        to: { entityType: 'account', property: 'teams' },
      },
      belongs: {
        connector: 'hr',
        source: 'memberships.csv',
        from: { entityType: 'unit', property: 'members', column: 'name' },
        to: { entityType: 'person', property: 'units', column: 'userName' },
      },
    },
    mappings: {
      [pushes.people]: {
        source: 'person',
        target: 'account',
        correlate: [{ source: 'userName', target: 'userName' }],
        operations: ['create', 'update', 'delete'],
        onSourceMissing: 'delete',
        follows: false,
        properties: Object.fromEntries(Object.keys(properties).map((name) => [name, name])),
      },
      [pushes.teams]: {
        source: 'unit',
        target: 'team',
        correlate: [{ source: 'name', target: 'displayName' }],
        follows: false,
        properties: { displayName: 'name', members: 'members' },
      },
    },
  });
}
