/** What is missing before a run: configuration, servers and worker, then sources, then data, each finding named. */
import { dirname } from 'node:path';
import type { Configuration, ConnectorSettings } from '../config/configuration.ts';
import { LockstepError } from '../engine/errors.ts';
import { appliedConfigurations } from '../store/queries/applied-configuration.ts';
import { missingMigrations } from '../store/queries/migration-state.ts';
import { checkCorrelation } from './check-correlation.ts';
import { findingsOfFacts } from './check-words.ts';
import { inOurWords } from './outage.ts';
import { requireConnector } from './run.ts';
import type { Session } from './session.ts';
import { lookAtSources } from './source-look.ts';

/** One thing that was looked at. */
export interface CheckFinding {
  readonly area: 'configuration' | 'store' | 'temporal' | 'worker' | 'source' | 'data';
  readonly ok: boolean;
  readonly message: string;
  /** What to do; empty when all is well. */
  readonly hint: string;
  readonly connector?: string;
  /** The entity type or association it is about. */
  readonly entityType?: string;
  /** Of the source. */
  readonly column?: string;
  /** Where the first of the rows is. */
  readonly file?: string;
  readonly line?: number;
  /** Of resources that a rule cannot tell apart; only where they were asked for. */
  readonly keys?: readonly string[];
}

export interface CheckReport {
  readonly ok: boolean;
  readonly findings: readonly CheckFinding[];
}

/** What to look at. */
export interface CheckOptions {
  /** Only this one; all of them by default. */
  readonly connector?: string | undefined;
  /** Name resources that correlation cannot tell apart, instead of counting them. Default false. */
  readonly keys?: boolean | undefined;
}

/** A worker asks for tasks at least once a minute; one that asked longer ago than this is gone. */
const workerSilenceMs = 70_000;

/**
 * Looks at everything a run needs; nothing is changed. Sources and data are looked at by a worker, which has their
 * files and credentials, and only when the configuration is in order.
 *
 * @throws LockstepError `NotFound` when there is no such connector
 */
export async function check(
  session: Session,
  { connector, keys = false }: CheckOptions = {},
): Promise<CheckReport> {
  const [configured, store, temporal] = await Promise.all([
    checkConfiguration(session, connector),
    checkStore(session),
    checkTemporal(session),
  ]);
  const isReadable = [...store, ...configured.findings].every(({ ok }) => ok);
  const applied = store.every(({ ok }) => ok)
    ? await checkApplied(session, configured.connectors)
    : [];
  const correlation = isReadable
    ? await checkCorrelation(session, await session.configuration(), connector, keys)
    : [];
  const before = [...configured.findings, ...applied, ...store, ...temporal];
  const sources = await checkEach(session, configured.connectors, before);
  const findings = [...before, ...sources, ...correlation];
  return { ok: findings.every(({ ok }) => ok), findings };
}

interface Configured {
  /** Those that have something to be looked at. */
  readonly connectors: readonly string[];
  readonly findings: readonly CheckFinding[];
}

async function checkConfiguration(session: Session, only: string | undefined): Promise<Configured> {
  let configuration: Configuration;
  try {
    configuration = await session.configuration();
  } catch (error) {
    return { connectors: [], findings: failed('configuration', error) };
  }
  if (only !== undefined) await requireConnector(session, only);
  const { connectors, entityTypes, associations } = configuration;
  const size = sizeOf(configuration);
  const mapped = new Set(
    [...entityTypes.values(), ...associations.values()].map(({ connector }) => connector),
  );
  const asked = [...connectors.keys()].filter((name) => only === undefined || name === only);
  const blind = asked.flatMap((name) => withoutComplete(connectors.get(name) as ConnectorSettings));
  const unmapped = asked.filter((name) => !mapped.has(name));
  return {
    connectors: asked.filter((name) => mapped.has(name)),
    findings: [
      passed('configuration', `${session.settings.configurationFile}: ${size}`),
      ...unmapped.map(
        (name): CheckFinding => ({
          area: 'configuration',
          ok: false,
          message: `${name}: no entity type is mapped to this connector, so it has nothing to read`,
          hint: `Give lockstep.yaml an entity type with \`connector: ${name}\`.`,
          connector: name,
        }),
      ),
      ...blind,
    ],
  };
}

/** What was deleted, and of SCIM who has left a group, only complete jobs find. */
function withoutComplete({ name, kind, modes, schedules }: ConnectorSettings): CheckFinding[] {
  if (!modes.includes('incremental')) return [];
  const unseen =
    kind === 'scim' ? 'who was deleted, or has left a group' : 'what was really deleted';
  const message = `${name}: incremental jobs do not see ${unseen}`;
  if (schedules.complete !== 'never') {
    const hint = 'The complete ones find it; leave them their schedule.';
    return [{ ...passed('configuration', message), hint, connector: name }];
  }
  const instead = 'and no complete job is planned to find it';
  const hint = `Give ${name} a schedule for \`complete\`, or run \`lockstep run ${name}\` often enough by yourself.`;
  // Who runs them by other means is not to be stopped.
  return [{ ...passed('configuration', `${message}, ${instead}`), hint, connector: name }];
}

/** `1 connectors, 2 entity types (1 managed), 1 associations, 2 mappings` */
function sizeOf(configuration: Configuration): string {
  const { connectors, entityTypes, associations, mappings } = configuration;
  const { managedTypes, managedAssociations } = configuration;
  const count = (connected: number, managed: number, what: string) =>
    `${connected + managed} ${what}${managed > 0 ? ` (${managed} managed)` : ''}`;
  return [
    `${connectors.size} connectors`,
    count(entityTypes.size, managedTypes.size, 'entity types'),
    count(associations.size, managedAssociations.size, 'associations'),
    ...(mappings.size > 0 ? [`${mappings.size} mappings`] : []),
  ].join(', ');
}

/** Says where the next run applies another configuration than the last one did. */
async function checkApplied(
  session: Session,
  connectors: readonly string[],
): Promise<CheckFinding[]> {
  if (connectors.length === 0) return [];
  const { version } = await session.configuration();
  const directory = dirname(session.settings.configurationFile);
  const applied = await appliedConfigurations(await session.store());
  const changed = connectors.filter((name) => {
    const last = applied.get(name);
    // Read from elsewhere, it is another worker's copy, and its version says nothing of this one.
    return last !== undefined && last.directory === directory && last.version !== version;
  });
  return changed.map((name) => ({
    ...passed('configuration', `${name}: lockstep.yaml is not what the last run applied`),
    hint: `The next run applies it. What it would change: \`lockstep run ${name} --simulate\`.`,
    connector: name,
  }));
}

/** One report in order: as long as something before is wrong, what comes after it is not looked at, and that is said. */
async function checkEach(
  session: Session,
  connectors: readonly string[],
  before: readonly CheckFinding[],
): Promise<CheckFinding[]> {
  const isWrong = (...areas: CheckFinding['area'][]) =>
    before.some(({ ok, area }) => !ok && areas.includes(area));
  if (isWrong('configuration')) {
    return [passedOver('the configuration is not in order', 'Mend the configuration first.')];
  }
  if (isWrong('temporal', 'worker')) {
    const why = isWrong('worker') ? 'no worker is up' : 'Temporal does not answer';
    return [passedOver(why, 'A worker reads the sources: it has their files and credentials.')];
  }
  const looks = await Promise.all(
    connectors.map(async (connector) => {
      try {
        return findingsOfFacts(connector, await lookAtSources(session, connector));
      } catch (error) {
        return failed('source', error).map((finding) => ({
          ...finding,
          message: `${connector}: ${finding.message}`,
          connector,
        }));
      }
    }),
  );
  const findings = looks.flat();
  // All of the sources before any of the data.
  const inArea = (area: CheckFinding['area']) => findings.filter((each) => each.area === area);
  return [...inArea('source'), ...inArea('data')];
}

function passedOver(why: string, hint: string): CheckFinding {
  return {
    area: 'source',
    ok: false,
    message: `sources and data were not looked at: ${why}`,
    hint,
  };
}

async function checkStore(session: Session): Promise<CheckFinding[]> {
  try {
    const missing = await missingMigrations(await session.store());
    if (missing.length === 0)
      return [passed('store', 'PostgreSQL answers and has every migration')];
    return [
      {
        area: 'store',
        ok: false,
        message: `PostgreSQL lacks ${missing.length} migrations: ${missing.join(', ')}`,
        hint: 'Run `lockstep migrate`.',
      },
    ];
  } catch (error) {
    return failed('store', error);
  }
}

async function checkTemporal(session: Session): Promise<CheckFinding[]> {
  const { taskQueue } = session.settings;
  try {
    const client = await session.temporal();
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: taskQueue },
      // Workflow tasks: every worker of ours takes them.
      taskQueueType: 1,
    });
    const polled = (pollers ?? []).filter(({ lastAccessTime }) => {
      const seconds = Number(lastAccessTime?.seconds ?? 0);
      return Date.now() - seconds * 1000 < workerSilenceMs;
    });
    const answers = passed('temporal', `Temporal answers, namespace “${client.options.namespace}”`);
    if (polled.length > 0) {
      const names = polled.map(({ identity }) => identity).join(', ');
      return [answers, passed('worker', `a worker polls the task queue “${taskQueue}”: ${names}`)];
    }
    return [
      answers,
      {
        area: 'worker',
        ok: false,
        message: `no worker polls the task queue “${taskQueue}”`,
        hint: 'Start one with `lockstep worker` or `lockstep dev`, or correct LOCKSTEP_TASK_QUEUE.',
      },
    ];
  } catch (error) {
    return failed('temporal', error);
  }
}

function passed(area: CheckFinding['area'], message: string): CheckFinding {
  return { area, ok: true, message, hint: '' };
}

function failed(area: CheckFinding['area'], error: unknown): CheckFinding[] {
  const known = inOurWords(error);
  const { message } = known as Error;
  const hint = known instanceof LockstepError ? known.hint : '';
  const [title, ...lines] = message.split('\n');
  // A configuration names all its problems, one to a line.
  const messages = lines.length > 0 ? lines : [title ?? message];
  return messages.map((text) => ({ area, ok: false, message: text, hint }));
}
