/** The schedules in Temporal: read, paused, and made to say what the configuration says. */
import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
} from '@temporalio/client';
import { LockstepError } from '../engine/errors.ts';
import type { Mode } from '../engine/job.ts';
import { scheduleId } from '../workflows/identifiers.ts';
import {
  isSameSchedule,
  type PlannedSchedule,
  planSchedules,
  scheduleMemo,
} from './planned-schedule.ts';
import { recurrenceInWords } from './recurrence.ts';
import { requireConnector } from './run.ts';
import { searchAttributesMissing } from './search-attributes.ts';
import type { Session } from './session.ts';

/** One schedule as it stands in Temporal. */
export interface ScheduleDocument {
  readonly schedule: string;
  readonly connector: string;
  readonly mode: Mode;
  /** In words: `daily at 04:30 Europe/Paris`. */
  readonly recurrence: string;
  readonly paused: boolean;
  /** Why it is paused, or was put back. */
  readonly note: string;
  /** ISO 8601; null while paused. */
  readonly nextRun: string | null;
  /** The jobs it started last, newest first. */
  readonly lastRuns: readonly { readonly job: string; readonly at: string }[];
}

/** What was done to make the schedules say what the configuration says. */
export interface ScheduleChanges {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly deleted: readonly string[];
  readonly unchanged: readonly string[];
  /** Schedules of these ids exist but are not ours; they are left alone. */
  readonly foreign: readonly string[];
}

/** Who activates or deactivates a connector, and why. */
export interface ActivationOptions {
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
}

const modes = ['complete', 'incremental'] as const;
const deactivationNote = 'deactivated by ';
/** Requests to Temporal on their way at a time. */
const atOnce = 16;

/**
 * Makes the schedules say what the configuration says. A pause, a person's or a deactivation, is kept; a schedule that
 * is made for a deactivated connector is born paused.
 */
export async function applySchedules(session: Session): Promise<ScheduleChanges> {
  const client = await session.temporal();
  const wanted = planSchedules(await session.configuration(), session.settings.taskQueue);
  const changes = { created: [], updated: [], deleted: [], unchanged: [], foreign: [] } as Record<
    keyof ScheduleChanges,
    string[]
  >;
  const listed = new Set(await ownIds(session, client));
  const applied = await eachOf(wanted, (plan) =>
    applyOne(session, client, plan, listed.has(plan.id)),
  );
  for (const [index, { id }] of wanted.entries()) {
    changes[applied[index] as keyof ScheduleChanges].push(id);
    listed.delete(id);
  }
  await eachOf([...listed].sort(), async (id) => {
    const existing = await describe(client, id);
    if (!existing || !isOurs(session, existing)) return;
    await client.schedule.getHandle(id).delete();
    changes.deleted.push(id);
  });
  return changes;
}

/** @param isListed a hint: Temporal's list lags behind by a moment, and other people's schedules are not in it */
async function applyOne(
  session: Session,
  client: Client,
  plan: PlannedSchedule,
  isListed: boolean,
): Promise<'created' | 'updated' | 'unchanged' | 'foreign'> {
  if (!isListed && (await create(session, client, plan))) return 'created';
  const existing = await describe(client, plan.id);
  if (existing === undefined) {
    return (await create(session, client, plan)) ? 'created' : 'unchanged';
  }
  if (!isOurs(session, existing)) return 'foreign';
  if (isSameSchedule(plan, existing)) return 'unchanged';
  const { spec, action, policies } = plan;
  await client.schedule.getHandle(plan.id).update(({ state }) => ({
    spec,
    action,
    policies,
    state: {
      paused: state.paused,
      ...(state.note !== undefined && { note: state.note }),
      ...(state.remainingActions !== undefined && { remainingActions: state.remainingActions }),
    },
  }));
  return 'updated';
}

/** False when there is one of this id. */
async function create(session: Session, client: Client, plan: PlannedSchedule): Promise<boolean> {
  const { id, spec, action, policies, connector, mode } = plan;
  const sibling = await describe(client, scheduleId(connector, otherMode(mode)));
  const isDeactivated =
    sibling !== undefined && isOurs(session, sibling) && isDeactivatedSchedule(sibling);
  const options: ScheduleOptions = {
    scheduleId: id,
    spec,
    action,
    policies,
    memo: scheduleMemo(session.settings.taskQueue, connector, mode),
    state: isDeactivated ? { paused: true, note: sibling.state.note ?? deactivationNote } : {},
  };
  try {
    await client.schedule.create(options);
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw searchAttributesMissing(error) ?? error;
  }
}

/** The schedules of this task queue as they stand, by connector. */
export async function readSchedules(session: Session): Promise<ScheduleDocument[]> {
  const client = await session.temporal();
  // Temporal's list lags behind by a moment, so those the configuration wants are asked for by name as well.
  const planned = await session.configuration().then(
    (configuration) => planSchedules(configuration, session.settings.taskQueue).map(({ id }) => id),
    () => [],
  );
  const ids = [...new Set([...planned, ...(await ownIds(session, client))])].sort();
  const descriptions = await eachOf(ids, (id) => describe(client, id));
  return descriptions
    .filter((description) => description !== undefined)
    .filter((description) => isOurs(session, description))
    .map(toDocument);
}

/** Takes a connector out of its schedules until it is activated again. Jobs that run go on, and so do manual runs. */
export async function deactivate(
  session: Session,
  connector: string,
  { by = session.identity, reason }: ActivationOptions,
): Promise<ScheduleDocument[]> {
  const note = `${deactivationNote}${by}${reason === undefined ? '' : `: ${reason}`}`;
  return await forBoth(session, connector, (client, id) =>
    client.schedule.getHandle(id).pause(note),
  );
}

/** Puts a connector back into its schedules. */
export async function activate(
  session: Session,
  connector: string,
  { by = session.identity, reason }: ActivationOptions,
): Promise<ScheduleDocument[]> {
  const note = `activated by ${by}${reason === undefined ? '' : `: ${reason}`}`;
  return await forBoth(session, connector, (client, id) =>
    client.schedule.getHandle(id).unpause(note),
  );
}

/** True while a connector is taken out of its schedules. */
export async function isDeactivated(session: Session, connector: string): Promise<boolean> {
  const client = await session.temporal();
  const descriptions = await eachOf([...modes], (mode) =>
    describe(client, scheduleId(connector, mode)),
  );
  return descriptions.some((each) => each && isOurs(session, each) && isDeactivatedSchedule(each));
}

async function forBoth(
  session: Session,
  connector: string,
  act: (client: Client, id: string) => Promise<void>,
): Promise<ScheduleDocument[]> {
  await requireConnector(session, connector);
  const client = await session.temporal();
  const documents: ScheduleDocument[] = [];
  for (const mode of modes) {
    const id = scheduleId(connector, mode);
    const existing = await describe(client, id);
    if (!existing || !isOurs(session, existing)) continue;
    await act(client, id);
    const changed = await describe(client, id);
    if (changed) documents.push(toDocument(changed));
  }
  if (documents.length === 0) {
    throw new LockstepError('NotFound', `“${connector}” has no schedule in Temporal`, {
      hint: 'Give it one in lockstep.yaml, then `lockstep schedules apply`.',
    });
  }
  return documents;
}

/** Asks for several at a time: one after another, hundreds of schedules would take their time to answer. */
async function eachOf<Item, Answer>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let from = 0; from < items.length; from += atOnce) {
    answers.push(...(await Promise.all(items.slice(from, from + atOnce).map(ask))));
  }
  return answers;
}

async function ownIds(session: Session, client: Client): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId: id, memo } of client.schedule.list()) {
    if (isOurs(session, { memo })) ids.push(id);
  }
  return ids;
}

async function describe(client: Client, id: string): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(id).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** Ours are those that we marked, for this task queue: another installation may share the namespace. */
function isOurs(
  session: Session,
  { memo }: { memo?: Record<string, unknown> | undefined },
): boolean {
  return memo?.['owner'] === 'lockstep' && memo['taskQueue'] === session.settings.taskQueue;
}

function isDeactivatedSchedule({ state }: ScheduleDescription): boolean {
  return state.paused && (state.note ?? '').startsWith(deactivationNote);
}

function otherMode(mode: Mode): Mode {
  return mode === 'complete' ? 'incremental' : 'complete';
}

function toDocument({
  scheduleId: id,
  memo,
  spec,
  state,
  info,
}: ScheduleDescription): ScheduleDocument {
  return {
    schedule: id,
    connector: String(memo?.['connector']),
    mode: memo?.['mode'] as Mode,
    recurrence: recurrenceInWords(spec),
    paused: state.paused,
    note: state.note ?? '',
    nextRun: state.paused ? null : (info.nextActionTimes[0]?.toISOString() ?? null),
    lastRuns: info.recentActions.toReversed().map(({ action, takenAt }) => ({
      job: action.workflow.workflowId,
      at: takenAt.toISOString(),
    })),
  };
}
