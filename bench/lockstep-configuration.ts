/** lockstep.yaml for the generated files. */
import { columns } from './generate-data.ts';

/** The connector and what it fills; each has a view of its name. */
export const names = {
  connector: 'bench',
  users: 'bench_user',
  groups: 'bench_group',
  memberships: 'bench_membership',
} as const;

/**
 * Reads the files of a directory; JSON is YAML. Every limit is so wide that only a first load asks.
 *
 * @param searchable columns of users by which people look for them
 */
export function lockstepConfiguration(
  directory: string,
  searchable: readonly string[] = [],
): string {
  const { connector, users, groups, memberships } = names;
  const property = (column: string) => {
    const origin = { column, ...(searchable.includes(column) && { searchable: true }) };
    if (column === 'hired') return [column, { ...origin, type: 'date', format: 'dd/MM/yyyy' }];
    if (column !== 'status') return [column, origin];
    return ['active', { ...origin, type: 'boolean', true: ['A'], false: ['I'] }];
  };
  return JSON.stringify({
    connectors: {
      [connector]: {
        kind: 'csv',
        directory,
        schedules: { complete: 'never' },
        thresholds: {
          maximumInsertedLines: 100_000,
          maximumUpdatedLines: 100_000,
          maximumDeletedLines: 100_000,
          maximumLinkInsertedLines: 1_000_000,
          maximumLinkUpdatedLines: 1_000_000,
          maximumLinkDeletedLines: 1_000_000,
        },
      },
    },
    entityTypes: {
      [users]: {
        connector,
        source: 'users.csv',
        key: 'login',
        properties: Object.fromEntries(columns.users.map(property)),
      },
      [groups]: {
        connector,
        source: 'groups.csv',
        key: 'code',
        properties: Object.fromEntries(columns.groups.map(property)),
      },
    },
    associations: {
      [memberships]: {
        connector,
        source: 'memberships.csv',
        from: { entityType: users, property: 'groups', column: 'login' },
        to: { entityType: groups, property: 'members', column: 'code' },
      },
    },
  });
}
