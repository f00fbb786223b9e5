/** What is missing before a run: configuration, servers, worker and sources, each finding named. */
import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Configuration } from '../config/configuration.ts';
import { LockstepError } from '../engine/errors.ts';
import { missingMigrations } from '../store/queries/migration-state.ts';
import { inOurWords } from './outage.ts';
import type { Session } from './session.ts';

/** One thing that was looked at. */
export interface CheckFinding {
  readonly area: 'configuration' | 'store' | 'temporal' | 'worker' | 'source';
  readonly ok: boolean;
  readonly message: string;
  /** What to do; empty when all is well. */
  readonly hint: string;
}

export interface CheckReport {
  readonly ok: boolean;
  readonly findings: readonly CheckFinding[];
}

/** A worker asks for tasks at least once a minute; one that asked longer ago than this is gone. */
const workerSilenceMs = 70_000;

/** Looks at everything a run needs; nothing is changed. Areas are looked at one without the other. */
export async function check(session: Session): Promise<CheckReport> {
  const [configuration, store, temporal] = await Promise.all([
    checkConfiguration(session),
    checkStore(session),
    checkTemporal(session),
  ]);
  const findings = [...configuration, ...store, ...temporal];
  return { ok: findings.every(({ ok }) => ok), findings };
}

async function checkConfiguration(session: Session): Promise<CheckFinding[]> {
  let configuration: Configuration;
  try {
    configuration = await session.configuration();
  } catch (error) {
    return failed('configuration', error);
  }
  const { connectors, entityTypes, associations } = configuration;
  const size = `${connectors.size} connectors, ${entityTypes.size} entity types, ${associations.size} associations`;
  const sources = await Promise.all(
    [...connectors.keys()].map((name) => checkSources(configuration, name)),
  );
  return [
    passed('configuration', `${session.settings.configurationFile}: ${size}`),
    ...sources.flat(),
  ];
}

async function checkSources(
  { connectors, entityTypes, associations }: Configuration,
  connector: string,
): Promise<CheckFinding[]> {
  const settings = connectors.get(connector);
  // What is no file is looked at by the export only.
  if (settings === undefined || !('directory' in settings)) return [];
  const { directory } = settings;
  const sources = [...entityTypes.values(), ...associations.values()]
    .filter((each) => each.connector === connector)
    .flatMap(({ source }) => ('file' in source.options ? [source.options.file] : []));
  if (!(await isReadable(directory, 'directory'))) {
    return [
      {
        area: 'source',
        ok: false,
        message: `${connector}: the directory ${directory} cannot be read here`,
        hint: 'Correct `directory` in lockstep.yaml (it is relative to that file), or make it readable.',
      },
    ];
  }
  return await Promise.all(
    [...new Set(sources)].map(async (source) => {
      const file = join(directory, source);
      if (await isReadable(file, 'file')) return passed('source', `${connector}: ${file}`);
      return {
        area: 'source' as const,
        ok: false,
        message: `${connector}: ${file} is not there or cannot be read`,
        hint: 'Have the source system write it, or correct `source` in lockstep.yaml.',
      };
    }),
  );
}

async function isReadable(path: string, kind: 'file' | 'directory'): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    const found = await stat(path);
    return kind === 'file' ? found.isFile() : found.isDirectory();
  } catch {
    return false;
  }
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
