/** Looks for the likely causes of breaches: gathers samples of the delta and of the files, and has the rules judge them. */
import { diagnose } from '../engine/diagnosis/diagnose.ts';
import type { Diagnosis } from '../engine/diagnosis/diagnosis.ts';
import type {
  Evidence,
  FilesCompared,
  KeyedResource,
  Replacement,
  ScopeCounts,
} from '../engine/diagnosis/evidence.ts';
import { profileFile } from '../engine/diagnosis/file-profile.ts';
import { firstRun } from '../engine/diagnosis/first-run.ts';
import { agree, formerKeys } from '../engine/diagnosis/key-change.ts';
import { scopeShrank } from '../engine/diagnosis/scope-shrank.ts';
import type { EntityType } from '../engine/entity-type.ts';
import { LockstepError } from '../engine/errors.ts';
import {
  countRejects,
  deletedAmong,
  type SampledScope,
  sameUnderAnotherKey,
  sampleComingsAndGoings,
  sampleUnfit,
  sampleUpdates,
  someInserts,
} from '../store/delta-sample.ts';
import type { JudgedDelta, LinkPlan, PlannedDelta } from '../store/delta-store.ts';
import type { Plan } from '../store/plan.ts';
import { sampleFile } from './file-sample.ts';
import { type FormerLoad, formerKeyOf } from './former-load.ts';
import type { MappedSource } from './mapped-source.ts';
import type { SourceReading } from './source-reading.ts';

/** An entity type or association as it was read and counted. */
export interface CountedSource {
  readonly reading: SourceReading;
  readonly counts: ScopeCounts;
}

/** A delta with its counts held against the limits. */
export interface Judged {
  readonly delta: JudgedDelta;
  readonly changes: PlannedDelta;
  readonly sources: readonly CountedSource[];
  readonly links: readonly LinkPlan[];
}

/** So many inserted keys are tried in other forms. */
const triedKeys = 200;

/** Looks for causes where a limit is passed, or many rows are rejects; a delta like any other costs nothing. */
export async function findCauses(
  plan: Plan,
  { delta: { breaches }, sources, links }: Judged,
  former: FormerLoad,
  signal: AbortSignal,
): Promise<Diagnosis[]> {
  const breached = new Set(breaches.map(({ scope }) => scope));
  const suspects = sources.filter(({ reading, counts }) => {
    const { name } = reading.source;
    const changes = counts.inserted + counts.updated + counts.deleted > 0;
    const inAll = breached.has(plan.connector) && changes;
    const manyRejects = counts.rejected > Math.max(10, counts.read / 20);
    return inAll || manyRejects || [...breached].some((scope) => scope.split('.')[0] === name);
  });
  const filled = sources.filter(({ counts }) => counts.stored > 0).map(({ reading }) => reading);
  const newReferences = links.filter(
    ({ navigation, stored, inserted }) =>
      stored === 0 &&
      inserted > 0 &&
      breached.has(navigation.scope) &&
      filled.some(({ source }) => navigation.scope.startsWith(`${source.name}.`)),
  );
  return [
    ...(await diagnoseSources(plan, suspects, former, signal)),
    ...newReferences.map(firstReferences),
  ];
}

/** The likely causes of what a delta plans in the given sources. */
async function diagnoseSources(
  plan: Plan,
  suspects: readonly CountedSource[],
  former: FormerLoad,
  signal: AbortSignal,
): Promise<Diagnosis[]> {
  const diagnoses: Diagnosis[] = [];
  for (const suspect of suspects) {
    const { source } = suspect.reading;
    if (suspect.counts.stored === 0) {
      diagnoses.push(await firstRunOf(plan, suspect));
      continue;
    }
    const files = await compareFiles(source, former, signal);
    if ('entityType' in source.task) {
      const { entityType } = source.task;
      diagnoses.push(...diagnose(await gather(plan, suspect, entityType, former, files)));
    } else if (files) {
      diagnoses.push(...scopeShrank(source.name, files, []));
    }
  }
  return diagnoses;
}

/** A reference that no stored resource had so far. */
function firstReferences({ navigation, inserted, updated, deleted, stored }: LinkPlan): Diagnosis {
  return firstRun({
    scope: navigation.scope,
    counts: { inserted, updated, deleted, stored, read: 0, rejected: 0 },
    rejects: new Map(),
    keyColumns: [],
    examples: [],
  });
}

async function firstRunOf(plan: Plan, { reading, counts }: CountedSource): Promise<Diagnosis> {
  const { source } = reading;
  const { from, to } = source.columnNames;
  const isLinks = source.kind === 'links';
  const inserts = isLinks ? [] : await someInserts(sampledScope(plan, reading), 3);
  return firstRun({
    scope: source.name,
    counts,
    rejects: await countRejects(plan.session, plan.jobId, source.name),
    keyColumns: [isLinks ? from : source.columnNames['#key'], to].filter(
      (column) => column !== undefined,
    ),
    examples: inserts.map(({ key, attributes }) => ({
      key,
      property: source.name,
      before: null,
      after: Object.values(attributes).join(' · '),
    })),
  });
}

async function gather(
  plan: Plan,
  { reading, counts }: CountedSource,
  entityType: EntityType,
  former: FormerLoad,
  files: FilesCompared | null,
): Promise<Evidence> {
  const scope = sampledScope(plan, reading);
  const { inserts, deletes } = await sampleComingsAndGoings(scope, counts);
  return {
    entityType,
    counts,
    updates: await sampleUpdates(scope, counts.updated),
    inserts,
    deletes,
    unfit: await sampleUnfit(scope, plan.jobId, entityType.name, counts.rejected),
    ...(await rekeyedResources(scope, counts, entityType, { inserts, deletes })),
    formerKey: formerKeyOf(entityType, former),
    files,
  };
}

function sampledScope({ session, deltaId }: Plan, { source }: SourceReading): SampledScope {
  return { session, deltaId, entityTypeId: source.id };
}

/** Inserted resources that are deleted ones: by what else they say, or by keys that differ in form. */
async function rekeyedResources(
  scope: SampledScope,
  { inserted, deleted }: ScopeCounts,
  { key, properties }: EntityType,
  { inserts, deletes }: { inserts: readonly KeyedResource[]; deletes: readonly KeyedResource[] },
): Promise<Pick<Evidence, 'rekeyed' | 'rekeyedAmong'>> {
  if (inserted === 0 || deleted === 0) return { rekeyed: [], rekeyedAmong: 0 };
  const computed = properties.filter(({ origin }) => origin.from === 'expression');
  const ignored = [key, ...computed.map(({ name }) => name)];
  const { pairs, among } = await sameUnderAnotherKey(scope, inserted, ignored);
  if (pairs.length * 2 >= among) return { rekeyed: pairs, rekeyedAmong: among };
  const tried = inserts.slice(0, triedKeys);
  const candidates = formerKeys(tried, deletes);
  const gone = await deletedAmong(scope, [...new Set(candidates.map(({ before }) => before))]);
  const deletedByKey = new Map(gone.map((resource) => [resource.key, resource]));
  const insertedByKey = new Map(tried.map((resource) => [resource.key, resource]));
  const rekeyed = new Map<string, Replacement>();
  for (const candidate of candidates) {
    const before = deletedByKey.get(candidate.before);
    const after = insertedByKey.get(candidate.after) as KeyedResource;
    if (before && agree(before, after, key)) rekeyed.set(candidate.after, candidate);
  }
  return { rekeyed: [...rekeyed.values()], rekeyedAmong: tried.length };
}

/** Profiles the file of this job beside that of the last load; null when that one is gone, not what it was, or this one holds changes only. */
async function compareFiles(
  source: MappedSource,
  { manifest }: FormerLoad,
  signal: AbortSignal,
): Promise<FilesCompared | null> {
  const file = manifest?.files.find((each) => each.source === source.file.source);
  // What changed is not like all there is, and need not be.
  if (!manifest || !file || source.file.since !== undefined) return null;
  const columns = [...new Set(Object.values(source.columnNames))];
  const now = await sampleFile(source.root, { id: source.extraction }, source.file, signal);
  try {
    const last = await sampleFile(source.root, manifest, file, signal, now.lastRecord);
    return {
      now: { ...profileFile(now, columns), soughtAt: last.soughtAt },
      last: profileFile(last, columns),
    };
  } catch (error) {
    if (error instanceof LockstepError && error.code === 'ExtractionModified') return null;
    throw error;
  }
}
