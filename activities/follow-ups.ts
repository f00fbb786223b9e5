/** The mappings that follow a job: those whose source it has changed. */
import type { Configuration } from '../config/configuration.ts';
import { LockstepError } from '../engine/errors.ts';
import { pinnedConfiguration } from '../store/job-store.ts';
import { touchedTypes } from '../store/touched-types.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** A reconciliation to be started. */
export interface FollowUp {
  readonly mapping: string;
  readonly connector: string;
}

/**
 * Finds them for a job whose delta was loaded; none for one that changed nothing. What was provisioned is an echo: it came
 * from here.
 *
 * None, and a warning, where the job's configuration can no longer be read, as when this worker lacks one of its secrets: no
 * other attempt could, and the job has to end.
 */
export async function followUpsOf(
  dependencies: ActivityDependencies,
  jobId: string,
): Promise<FollowUp[]> {
  const { store } = dependencies;
  const touched = await touchedTypes(store, jobId);
  if (touched.entityTypes.length + touched.associations.length === 0) return [];
  const configuration = await readableConfiguration(dependencies, jobId);
  if (configuration === undefined) return [];
  const job = await store.prisma.job.findUnique({
    where: { id: jobId },
    select: { mapping: true },
  });
  if (configuration.mappings.get(job?.mapping ?? '')?.does === 'provision') return [];
  const types = new Set([...touched.entityTypes, ...endsOf(configuration, touched.associations)]);
  return [...configuration.mappings.values()]
    .filter(({ source, follows }) => follows && types.has(source))
    .filter(({ connector }) => configuration.connectors.get(connector)?.enabled)
    .map(({ name, connector }) => ({ mapping: name, connector }));
}

async function readableConfiguration(
  { store, configurations, log }: ActivityDependencies,
  jobId: string,
): Promise<Configuration | undefined> {
  const pinned = await pinnedConfiguration(store, jobId);
  try {
    return configurations.parse(pinned);
  } catch (error) {
    const code = error instanceof LockstepError ? error.code : 'InternalError';
    log.warn(
      { job: jobId, code },
      'no mapping follows: the configuration of the job is unreadable',
    );
    return undefined;
  }
}

/** A link that came or went has changed the resources at both its ends. */
function endsOf(
  { associations, managedAssociations }: Configuration,
  names: readonly string[],
): string[] {
  return names.flatMap((name) => {
    const association = associations.get(name) ?? managedAssociations.get(name);
    return association ? [association.from.entityType, association.to.entityType] : [];
  });
}
