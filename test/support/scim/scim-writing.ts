/** Writers of SCIM services, and writes, as tests need them. */
import type { Clock } from '../../../connectors/scim/http-client.ts';
import { createScimWriter } from '../../../connectors/scim/scim-writer.ts';
import type {
  AttributeWrite,
  MembersWrite,
  ResourceWrite,
  WriteOutcome,
} from '../../../connectors/writer.ts';
import { LockstepError } from '../../../engine/errors.ts';
import type { ScimSettings } from '../../../engine/scim-settings.ts';
import { scimSettings, testClock } from './scim-system.ts';

export type Attributes = Readonly<Record<string, AttributeWrite['value']>>;

const attributesOf = (attributes: Attributes): AttributeWrite[] =>
  Object.entries(attributes).map(([path, value]) => ({ path, value }));

const place = (resourceType: string, key: string) => ({
  nth: 0,
  resourceType,
  key: { path: resourceType === 'Group' ? 'displayName' : 'userName', value: key },
});

export function create(
  resourceType: string,
  attributes: Attributes,
  members: readonly MembersWrite[] = [],
): ResourceWrite {
  const key = String(attributes[resourceType === 'Group' ? 'displayName' : 'userName']);
  return {
    ...place(resourceType, key),
    operation: 'create',
    attributes: attributesOf(attributes),
    members,
  };
}

export function update(
  resourceType: string,
  id: string | null,
  attributes: Attributes,
  members: readonly MembersWrite[] = [],
  key = 'somebody',
): ResourceWrite {
  return {
    ...place(resourceType, key),
    operation: 'update',
    id,
    attributes: attributesOf(attributes),
    members,
  };
}

export function remove(resourceType: string, id: string | null, key = 'somebody'): ResourceWrite {
  return { ...place(resourceType, key), operation: 'delete', id, members: [] };
}

export function members(added: readonly string[], removed: readonly string[] = []): MembersWrite[] {
  return [{ attribute: 'members', added, removed }];
}

export interface WritingOptions {
  readonly settings?: Partial<ScimSettings>;
  readonly clock?: Clock;
  readonly concurrency?: number;
  readonly readBack?: Readonly<Record<string, readonly string[]>>;
  readonly signal?: AbortSignal;
  readonly onOutcome?: (outcome: WriteOutcome) => Promise<void>;
}

/** The outcomes of writes, in the order in which they were asked for; each with requests of its own unless `overrides` say otherwise. */
export async function written(
  endpoint: string,
  writes: readonly ResourceWrite[],
  {
    settings = {},
    clock = testClock(),
    concurrency = 1,
    readBack = { User: ['userName'], Group: ['displayName'] },
    signal = new AbortController().signal,
    onOutcome = async () => {},
  }: WritingOptions = {},
): Promise<WriteOutcome[]> {
  const outcomes: WriteOutcome[] = [];
  const overrides = { bulk: false as const, ...settings.overrides };
  await createScimWriter(scimSettings(endpoint, { ...settings, overrides }), clock).write({
    writes: writes.map((write, nth) => ({ ...write, nth })),
    readBack: new Map(Object.entries(readBack)),
    concurrency,
    onOutcome: async (outcome) => {
      outcomes[outcome.nth] = outcome;
      await onOutcome(outcome);
    },
    signal,
  });
  return outcomes;
}

/** The outcome of one write. */
export async function writtenOne(
  endpoint: string,
  write: ResourceWrite,
  options: WritingOptions = {},
): Promise<WriteOutcome> {
  const [outcome] = await written(endpoint, [write], options);
  if (outcome === undefined) throw new Error('there is no outcome');
  return outcome;
}

/** `Code [fault]: message` of writes that must be given up. */
export async function givenUp(writing: Promise<unknown>): Promise<string> {
  const error: unknown = await writing.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof LockstepError)) throw new Error(`not given up: ${String(error)}`);
  return `${error.code} [${error.fault}]: ${error.message}`;
}
