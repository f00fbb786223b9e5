/** Holds the sources of a job against what they were at the last load, and does what their contracts say. */
import { type Diagnosis, diagnosisOf } from '../engine/diagnosis/diagnosis.ts';
import { type DriftContract, DriftError, headerDrift } from '../engine/diagnosis/drift.ts';
import { storedKinds, typeChanges } from '../engine/diagnosis/type-change.ts';
import type { Store } from '../store/database.ts';
import { sampleUnfit } from '../store/delta-sample.ts';
import { countUnfit, sampleStaged, sampleStored } from '../store/drift-sample.ts';
import type { Plan } from '../store/plan.ts';
import type { CountedSource } from './diagnosis.ts';
import type { FormerLoad } from './former-load.ts';
import { type MappedSource, readHeader } from './mapped-source.ts';
import { findDamagedSources } from './spreadsheet-damage.ts';

/** When so large a share of the rows is new, the whole column may have changed. */
const manyNew = 0.2;

/** Drift that is let pass, and such that stops the job unless something else explains it. */
export interface Drift {
  readonly noted: readonly Diagnosis[];
  readonly typeChanges: readonly Diagnosis[];
}

/**
 * Compares values, headings and kinds of values with what was there before.
 *
 * @throws DriftError `FormatDrift` or `SchemaDrift` where a contract says to stop
 */
export async function findDrift(
  plan: Plan,
  sources: readonly CountedSource[],
  former: FormerLoad,
): Promise<Drift> {
  const damaged = await findDamagedSources(plan, sources);
  const stopping = damaged.filter(({ source }) => contractOf(source).valueFormat === 'stop');
  if (stopping.length > 0) {
    const words = stopping.flatMap((each) => each.words).join('; ');
    throw new DriftError(
      'FormatDrift',
      words,
      stopping.flatMap((each) => each.diagnoses),
    );
  }
  const headings: Diagnosis[] = [];
  const changed: Diagnosis[] = [];
  for (const source of sources.filter(({ reading }) => !reading.again)) {
    headings.push(...(await changedHeadings(source, sources, former)));
    if (contractOf(source).typeChange === 'stop')
      changed.push(...(await changedTypes(plan, source)));
  }
  return {
    noted: [...damaged.flatMap((each) => each.diagnoses), ...headings],
    typeChanges: changed,
  };
}

/** @throws DriftError `SchemaDrift` for changes of type that neither a breach nor another diagnosis accounts for */
export function stopAtTypeChanges(
  { typeChanges }: Drift,
  causes: readonly Diagnosis[],
  breached: boolean,
): void {
  const explaining = breached
    ? causes.filter(({ kind }) => kind === 'swappedHeaders' || kind === 'dateFormatChange')
    : [];
  const unexplained = typeChanges.filter(
    ({ scope, columns }) =>
      !explaining.some(
        (cause) =>
          cause.scope === scope && columns.every((column) => cause.columns.includes(column)),
      ),
  );
  if (unexplained.length === 0) return;
  const words = unexplained.map(
    ({ scope, columns, detail }) => `column “${columns.join()}” of ${scope} (${detail})`,
  );
  throw new DriftError('SchemaDrift', `another kind of value than is stored: ${words.join('; ')}`, [
    ...unexplained,
    ...causes,
  ]);
}

/** Sources whose contract is to reject other kinds of values take those that are stored only. */
export async function withStoredKinds(
  store: Store,
  sources: readonly MappedSource[],
): Promise<MappedSource[]> {
  const done: MappedSource[] = [];
  for (const source of sources) {
    const { task, id } = source;
    if (!('entityType' in task) || task.entityType.drift.typeChange !== 'reject') {
      done.push(source);
      continue;
    }
    const kinds = storedKinds(task.entityType, await sampleStored(store.pool, id));
    done.push({ ...source, task: { ...task, kinds } });
  }
  return done;
}

function contractOf({ reading }: CountedSource): DriftContract {
  const { task } = reading.source;
  return 'entityType' in task ? task.entityType.drift : task.association.drift;
}

/** Columns that came or went since the last load. One that is mapped, by whatever reads this source, is no drift. */
async function changedHeadings(
  source: CountedSource,
  sources: readonly CountedSource[],
  { manifest }: FormerLoad,
): Promise<Diagnosis[]> {
  const { file, root, name, task } = source.reading.source;
  const before = manifest?.files.find((each) => each.source === file.source);
  if (!manifest || !before) return [];
  const last = await readHeader(root, manifest.id, before).catch(() => null);
  if (last === null) return [];
  const mapped = sources
    .filter(({ reading }) => reading.source.file.source === file.source)
    .flatMap(({ reading }) => Object.values(reading.source.columnNames));
  const { came, went } = headerDrift(last.names, task.header, new Set(mapped));
  const contract = contractOf(source);
  const found = (
    [
      ['newColumn', came, 'new'],
      ['lostColumn', went, 'gone'],
    ] as const
  ).filter(([, headings]) => headings.length > 0);
  const diagnoses = found.map(([kind, headings, word]) =>
    diagnosisOf({
      kind,
      scope: name,
      detail: `${word} since the last load: ${headings.join(', ')}`,
      columns: headings,
      examples: [],
    }),
  );
  const stopping = found.filter(([kind]) => contract[kind] === 'stop');
  if (stopping.length > 0) {
    const words = stopping.map(([, headings, word]) => `${word}: ${headings.join(', ')}`);
    throw new DriftError(
      'SchemaDrift',
      `the columns of ${file.source} are not those of the last load; ${words.join('; ')}`,
      diagnoses,
    );
  }
  return diagnoses;
}

async function changedTypes(
  { session, deltaId, jobId }: Plan,
  { reading, counts }: CountedSource,
): Promise<Diagnosis[]> {
  const { comparison, source } = reading;
  const { staged, fresh, id } = comparison;
  if (!('entityType' in source.task) || fresh || counts.stored === 0) return [];
  if (staged < counts.read * manyNew) return [];
  const { entityType } = source.task;
  const scope = { session, deltaId, entityTypeId: id };
  return typeChanges({
    entityType,
    staged,
    stored: await sampleStored(session, id),
    fresh: await sampleStaged(session, id),
    unfit: await sampleUnfit(scope, jobId, entityType.name, counts.rejected),
    unfitCounts: await countUnfit(session, jobId, entityType.name),
  });
}
