/** Looks for values that a spreadsheet has damaged, in what a delta plans: properties, keys, references, both ends of links. */
import type { Diagnosis } from '../engine/diagnosis/diagnosis.ts';
import {
  changesOf,
  columnProperties,
  fewestCases,
  type Replacement,
  textOf,
} from '../engine/diagnosis/evidence.ts';
import {
  type DamagedColumn,
  damageDiagnosis,
  describeDamage,
  findDamage,
} from '../engine/diagnosis/spreadsheet-damage.ts';
import { type EntityType, referenceScope } from '../engine/entity-type.ts';
import { type SampledScope, sampleComingsAndGoings, sampleUnfit } from '../store/delta-sample.ts';
import {
  countLinkedZeros,
  countStoredZeros,
  countZerosLost,
  keysWithoutZeros,
  type LinkEnd,
  linkEndsWithoutZeros,
  suspectUpdates,
} from '../store/drift-sample.ts';
import type { StoredNavigation } from '../store/model-store.ts';
import type { Plan } from '../store/plan.ts';
import type { CountedSource } from './diagnosis.ts';

/** Damage of one source: what the person reads, and what the message says of it. */
export interface DamagedSource {
  readonly source: CountedSource;
  readonly diagnoses: readonly Diagnosis[];
  readonly words: readonly string[];
}

/** All sources of which a column is damaged. Nothing is looked at where nothing changes. */
export async function findDamagedSources(
  plan: Plan,
  sources: readonly CountedSource[],
): Promise<DamagedSource[]> {
  const damaged: DamagedSource[] = [];
  for (const source of sources) {
    const { reading, counts } = source;
    const nothingNew = reading.again || reading.comparison.fresh || counts.stored === 0;
    if (nothingNew) continue;
    const { task, name } = reading.source;
    const found =
      'entityType' in task
        ? await inEntityType(plan, source, task.entityType)
        : await inLinks(plan, source);
    if (found.length === 0) continue;
    damaged.push({
      source,
      diagnoses: found.map((column) => damageDiagnosis(name, column)),
      words: found.map((column) => describeDamage(name, column)),
    });
  }
  return damaged;
}

async function inEntityType(
  plan: Plan,
  { reading, counts }: CountedSource,
  entityType: EntityType,
): Promise<DamagedColumn[]> {
  const { session, deltaId, jobId } = plan;
  const scope: SampledScope = { session, deltaId, entityTypeId: reading.source.id };
  const properties = columnProperties(entityType);
  const columns = new Map(properties.map(({ name, column }) => [name, column]));
  const updates = await suspectUpdates(scope, counts.updated);
  const unfit = await sampleUnfit(scope, jobId, entityType.name, counts.rejected);
  const values = properties.flatMap(({ name, column }) => [
    ...changesOf(updates, name),
    ...unfit
      .filter((cell) => cell.column === column && cell.stored !== null)
      .map(({ key, value, stored }) => ({
        key,
        property: name,
        before: textOf(stored?.[name]),
        after: value.trim(),
      })),
  ]);
  const damaged: DamagedColumn[] = [];
  for (const column of findDamage(values, columns)) {
    const { property, damage, count } = column;
    if (damage !== 'lostLeadingZeros') {
      const touched = values.filter(
        ({ property: of, before }) => of === property && before !== null,
      );
      if (count * 2 >= touched.length) damaged.push(column);
      continue;
    }
    const lost = await countZerosLost(scope, property);
    const stored = await countStoredZeros(session, scope.entityTypeId, property, 2 * lost + 1);
    if (lost * 2 >= stored) damaged.push({ ...column, count: lost });
  }
  if (counts.deleted > 0) {
    damaged.push(...(await inKeys(scope, counts, entityType.key, columns)));
  }
  for (const navigation of plan.navigations) {
    const column = columns.get(navigation.property);
    const isOwn = navigation.scope === referenceScope(entityType.name, navigation.property);
    if (!isOwn || !navigation.singleValued || column === undefined) continue;
    damaged.push(
      ...(await inEnd(plan, endOf(navigation, 'to', entityType.name, column), navigation.property)),
    );
  }
  return damaged;
}

async function inKeys(
  scope: SampledScope,
  counts: CountedSource['counts'],
  key: string,
  columns: ReadonlyMap<string, string>,
): Promise<DamagedColumn[]> {
  const pairs = await keysWithoutZeros(scope);
  const damaged = findDamage(
    pairs.map((pair) => exampleOf(pair, key)),
    columns,
  );
  const stored = await zerosIfAny(pairs, (most) =>
    countStoredZeros(scope.session, scope.entityTypeId, null, most),
  );
  if (damaged.length > 0 && pairs.length * 2 >= stored) return damaged;
  return await inRoundedKeys(scope, counts, key, columns);
}

/** Long numbers that were rounded are the same for many: one of them comes, or none because they repeat. */
async function inRoundedKeys(
  scope: SampledScope,
  counts: CountedSource['counts'],
  key: string,
  columns: ReadonlyMap<string, string>,
): Promise<DamagedColumn[]> {
  const { inserts, deletes } = await sampleComingsAndGoings(scope, counts);
  const rounded = inserts.filter(({ key: after }) => /^\d([.,]\d+)?[eE]\+?\d+$/.test(after));
  if (rounded.length === 0) return [];
  const pairs = deletes.flatMap(({ key: before }) =>
    rounded.slice(0, 100).map(({ key: after }) => exampleOf({ key: null, before, after }, key)),
  );
  const damaged = findDamage(pairs, columns);
  return damaged.filter(({ count }) => count * 2 >= deletes.length);
}

async function inLinks(plan: Plan, { reading }: CountedSource): Promise<DamagedColumn[]> {
  const { task, name, id } = reading.source;
  const navigation = plan.navigations.find((each) => each.id === id);
  if (!('association' in task) || !navigation) return [];
  const damaged: DamagedColumn[] = [];
  for (const end of ['from', 'to'] as const) {
    const { column } = task.association[end];
    damaged.push(...(await inEnd(plan, endOf(navigation, end, name, column), column)));
  }
  return damaged;
}

function endOf(
  { id, fromEntityTypeId, toEntityTypeId }: StoredNavigation,
  end: 'from' | 'to',
  source: string,
  column: string,
): LinkEnd {
  const entityTypeId = end === 'to' ? toEntityTypeId : fromEntityTypeId;
  return { navigationPropertyId: id, end, entityTypeId, source, column };
}

async function inEnd(plan: Plan, end: LinkEnd, property: string): Promise<DamagedColumn[]> {
  const pairs = await linkEndsWithoutZeros(plan, end);
  const damaged = findDamage(
    pairs.map((pair) => exampleOf(pair, property)),
    new Map([[property, end.column]]),
  );
  const stored = await zerosIfAny(pairs, (most) => countLinkedZeros(plan.session, end, most));
  return pairs.length * 2 >= stored ? damaged : [];
}

/** Counts what is stored only where enough was found. */
async function zerosIfAny(
  pairs: readonly Replacement[],
  count: (most: number) => Promise<number>,
): Promise<number> {
  return pairs.length < fewestCases ? 0 : await count(2 * pairs.length + 1);
}

function exampleOf({ key, before, after }: Replacement, property: string) {
  return { key, property, before, after };
}
