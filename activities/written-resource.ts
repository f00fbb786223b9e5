/** What the store is to hold of a resource after a write, from what the connector read back. */
import type { WriteOutcome } from '../connectors/writer.ts';
import type { EntityType } from '../engine/entity-type.ts';
import type { RowProblem } from '../engine/row-mapping.ts';
import type { Store } from '../store/database.ts';
import { keyOfReferred } from '../store/provisioning-units.ts';
import type { ReadBack, Settlement } from '../store/settle-provisioning.ts';
import type { PlannedWrite } from './planned-write.ts';
import { openReadBackMapper, type ReadBackMapper } from './read-back-mapper.ts';
import type { HeldNavigation, TargetType } from './target-model.ts';

type Written = Extract<WriteOutcome, { state: 'applied' | 'not-applied' }>;

/** Turns outcomes of writes into what is settled of them. */
export class WrittenResources implements AsyncDisposable {
  readonly #store: Store;
  readonly #types: readonly TargetType[];
  readonly #entityTypes: readonly EntityType[];
  readonly #mappers = new Map<number, ReadBackMapper>();

  /** @param entityTypes every one that may be referenced */
  constructor(store: Store, types: readonly TargetType[], entityTypes: readonly EntityType[]) {
    this.#store = store;
    this.#types = types;
    this.#entityTypes = entityTypes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const mapper of this.#mappers.values()) await mapper[Symbol.asyncDispose]();
  }

  /** @throws LockstepError `ExpressionTimedOut` */
  async settlementOf(
    type: TargetType,
    planned: PlannedWrite,
    outcome: WriteOutcome,
  ): Promise<Settlement> {
    if (outcome.state === 'failed') {
      const { code, message } = outcome;
      return { state: 'failed', code, message, paths: [], readBack: null, links: [] };
    }
    const { unit, members, leftOut, isPart } = planned;
    if (unit.operation === 'delete' && outcome.state === 'applied') {
      return { state: 'applied', readBack: null, links: [] };
    }
    const read = await this.#readBack(type, planned, outcome);
    if ('code' in read) {
      const message = `what was read back cannot be used: ${read.message}`;
      const paths = read.column === null ? [] : [read.column];
      return { state: 'failed', code: 'NotApplied', message, paths, readBack: null, links: [] };
    }
    const links = members
      .filter(({ link, attribute, id }) => tookEffect(outcome, attribute, id, link.change))
      .map(({ link }) => link.id);
    const unmet = outcome.state === 'applied' ? [] : outcome.paths;
    const paths = [...new Set([...unmet, ...leftOut])];
    if (paths.length > 0) {
      const message =
        unmet.length > 0
          ? `written, and read back it is not so: ${unmet.join(', ')}`
          : `written but for ${leftOut.join(', ')}: a resource that it refers to is not there`;
      return { state: 'not-applied', code: 'NotApplied', message, paths, readBack: read, links };
    }
    return { state: isPart ? 'pending' : 'applied', readBack: read, links };
  }

  async #readBack(
    type: TargetType,
    planned: PlannedWrite,
    { cells, id }: Written,
  ): Promise<ReadBack | RowProblem> {
    const { entityType, paths, idProperty, navigations } = type;
    const row = await Promise.all(
      paths.map(async (path) => {
        const cell = cells.get(path) ?? '';
        if (path.toLowerCase() === 'id' && idProperty !== undefined) return cell || (id ?? '');
        const reference = navigations.find(
          (each) => each.kind === 'reference' && each.attribute === path,
        );
        return reference === undefined ? cell : await this.#keyOf(reference, planned, cell);
      }),
    );
    const outcome = await this.#mapperOf(type).map(row);
    if ('problem' in outcome) return outcome.problem;
    const { key, attributes, references } = outcome.mapped;
    const held = navigations.filter(({ kind }) => kind === 'reference');
    return {
      key,
      attributes,
      references: new Map(
        held.map(({ navigationId, attribute }) => {
          const property = entityType.properties.find(
            ({ kind, origin }) =>
              kind === 'reference' && origin.from === 'column' && origin.column === attribute,
          );
          return [navigationId, references[property?.name ?? ''] ?? null];
        }),
      ),
    };
  }

  /** What refers by an id refers to the key of that resource; what is no id of one may be its key already. */
  async #keyOf(
    { otherType, navigationId }: HeldNavigation,
    { unit }: PlannedWrite,
    cell: string,
  ): Promise<string> {
    const other = this.#types.find(({ entityType }) => entityType.name === otherType);
    if (cell === '' || other?.idProperty === undefined) return cell;
    const { id: entityTypeId, idProperty: property } = other;
    const written = unit.links.find(
      (link) => link.navigationId === navigationId && link.other?.[property] === cell,
    );
    if (written) return written.otherKey;
    const fromId = unit.resourceId;
    const place = { entityTypeId, property, value: cell, navigationId, fromId };
    return (await keyOfReferred(this.#store, place)) ?? cell;
  }

  #mapperOf({ id, entityType, paths }: TargetType): ReadBackMapper {
    const known = this.#mappers.get(id);
    if (known) return known;
    const entityTypes = this.#entityTypes;
    const mapper = openReadBackMapper({ entityType, header: paths, entityTypes });
    this.#mappers.set(id, mapper);
    return mapper;
  }
}

/** Where not all of a write took, what the attribute holds now tells which members came and went. */
function tookEffect(
  outcome: Written,
  attribute: string,
  id: string,
  change: 'insert' | 'update' | 'delete',
): boolean {
  if (outcome.state === 'applied' || !outcome.paths.includes(attribute)) return true;
  return idsOf(outcome.cells.get(attribute) ?? '').has(id) === (change !== 'delete');
}

/** The cell of an attribute with several elements is a JSON array of them; one alone is itself. */
function idsOf(cell: string): ReadonlySet<string> {
  if (cell === '') return new Set();
  return new Set(cell.startsWith('[') ? (JSON.parse(cell) as string[]) : [cell]);
}
