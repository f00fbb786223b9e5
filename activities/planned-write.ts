/** From what is planned of a resource to the write that a connector is asked for. */
import type { AttributeWrite, MembersWrite, ResourceWrite } from '../connectors/writer.ts';
import type { Value } from '../engine/value-format.ts';
import type { Attributes, LinkToWrite, ProvisioningUnit } from '../store/provisioning-units.ts';
import type { TargetType } from './target-model.ts';

/** A write, and what it will have done of the links that were planned. */
export interface PlannedWrite {
  readonly unit: ProvisioningUnit;
  readonly write: ResourceWrite;
  /** Links of associations that it writes, each with the id of the member. */
  readonly members: readonly {
    readonly link: LinkToWrite;
    readonly attribute: string;
    readonly id: string;
  }[];
  /** Attributes whose links cannot all be written: the resource at the other end is not there. */
  readonly leftOut: readonly string[];
  /** Links are left for later, when the resources at their other ends are there. */
  readonly isPart: boolean;
}

/** Why nothing can be written of a resource; without a value. */
export interface Unwritable {
  readonly unit: ProvisioningUnit;
  readonly paths: readonly string[];
  readonly problem: string;
}

/** A unit as a write, why there is none, or `later` when it waits for resources that the same delta creates. */
export type PlannedUnit = PlannedWrite | Unwritable | 'later';

/** Makes writes of units. */
export class WritePlanner {
  readonly #types: ReadonlyMap<string, TargetType>;

  readonly #mayBeDone: boolean;

  /** @param mayBeDone an earlier attempt may have written what is pending */
  constructor(types: readonly TargetType[], mayBeDone: boolean) {
    this.#mayBeDone = mayBeDone;
    this.#types = new Map(types.map((type) => [type.entityType.name, type]));
  }

  /**
   * @param nth names the write in its outcome
   * @param last whether the resources that it waits for will not come any more
   */
  plan(type: TargetType, unit: ProvisioningUnit, nth: number, last: boolean): PlannedUnit {
    const waits = !last && unit.links.some(({ otherIsComing }) => otherIsComing);
    const createsFirst = waits && unit.operation === 'create' && !unit.written;
    if (waits && !createsFirst) return 'later';
    const problems: { path: string; problem: string }[] = [];
    const attributes = unit.written ? [] : attributesOf(type, unit, problems);
    const keyed = this.#keyOf(type, unit, problems);
    const links = createsFirst
      ? { attributes: [], members: [], leftOut: [] }
      : this.#links(type, unit);
    if (problems.length > 0 || keyed === undefined) {
      const paths = problems.map(({ path }) => path);
      return {
        unit,
        paths,
        problem: problems.map(({ path, problem }) => `${path} ${problem}`).join('; '),
      };
    }
    const common = {
      nth,
      resourceType: type.resourceType,
      key: { path: type.keyPath, value: keyed },
      members: membersWrites(links.members),
    };
    const all = [...attributes, ...links.attributes];
    const id = idOf(type, unit.stored);
    const write: ResourceWrite =
      unit.operation === 'delete'
        ? { ...common, operation: 'delete', id, members: [] }
        : unit.operation === 'create' && !unit.written
          ? {
              ...common,
              operation: 'create',
              attributes: all.filter(({ value }) => value !== null),
            }
          : { ...common, operation: 'update', id, mayBeDone: this.#mayBeDone, attributes: all };
    const { members, leftOut } = links;
    return { unit, write, members, leftOut, isPart: createsFirst };
  }

  /** By the key that it has now, or will have. */
  #keyOf(
    { entityType, properties, keyPath }: TargetType,
    { stored, after, key }: ProvisioningUnit,
    problems: { path: string; problem: string }[],
  ): string | undefined {
    const value = (stored ?? after)?.[entityType.key] ?? key;
    const writing = properties.get(entityType.key)?.write(value) ?? { value: key };
    if ('value' in writing) return String(writing.value);
    problems.push({ path: keyPath, problem: writing.problem });
    return undefined;
  }

  #links(type: TargetType, unit: ProvisioningUnit) {
    const attributes: AttributeWrite[] = [];
    const members: PlannedWrite['members'][number][] = [];
    const leftOut = new Set<string>();
    for (const link of unit.links) {
      const navigation = type.navigations.find(
        ({ navigationId }) => navigationId === link.navigationId,
      );
      if (navigation === undefined) continue;
      const { attribute, kind, otherType } = navigation;
      const id = idOf(this.#types.get(otherType), link.other);
      if (kind === 'reference' && link.change === 'delete') {
        attributes.push({ path: attribute, value: null });
      } else if (id === null) {
        // A member that is gone is no member any more.
        if (link.change !== 'delete' || link.other !== null) leftOut.add(attribute);
      } else if (kind === 'reference') {
        attributes.push({ path: attribute, value: id });
      } else {
        members.push({ link, attribute, id });
      }
    }
    return { attributes, members, leftOut: [...leftOut] };
  }
}

/** Where a resource is in the connected system, as far as the mirror knows. */
function idOf(type: TargetType | undefined, stored: Attributes | null): string | null {
  const id = type?.idProperty === undefined ? undefined : stored?.[type.idProperty];
  return id === undefined ? null : String(id);
}

/** What differs; of a new resource, all of it. */
function attributesOf(
  { properties }: TargetType,
  { before, after }: ProvisioningUnit,
  problems: { path: string; problem: string }[],
): AttributeWrite[] {
  if (after === null) return [];
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after)]);
  return [...names].flatMap((name): AttributeWrite[] => {
    const value: Value | undefined = after[name];
    if (value === before?.[name]) return [];
    const property = properties.get(name);
    if (property === undefined) {
      problems.push({ path: name, problem: 'is computed, and no attribute to write to' });
      return [];
    }
    const { path, write } = property;
    if (value === undefined) return [{ path, value: null }];
    const writing = write(value);
    if ('value' in writing) return [{ path, value: writing.value }];
    problems.push({ path, problem: writing.problem });
    return [];
  });
}

function membersWrites(members: PlannedWrite['members']): MembersWrite[] {
  const byAttribute = Map.groupBy(members, ({ attribute }) => attribute);
  return [...byAttribute].map(([attribute, each]) => ({
    attribute,
    added: each.filter(({ link }) => link.change !== 'delete').map(({ id }) => id),
    removed: each.filter(({ link }) => link.change === 'delete').map(({ id }) => id),
  }));
}
