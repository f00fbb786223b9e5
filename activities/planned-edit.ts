/** What an edit changes: the rules of what is managed by us, applied to what is stored. */
import type { Configuration } from '../config/configuration.ts';
import {
  type Edit,
  editedResource,
  type ManagedEnd,
  managedEnds,
  refuseProtected,
} from '../engine/edit.ts';
import { LockstepError } from '../engine/errors.ts';
import { localAuthority, type ManagedReference, type ManagedType } from '../engine/managed-type.ts';
import type { StoredModel, StoredNavigation } from '../store/model-store.ts';
import {
  countReferrers,
  type EditPlan,
  isLinked,
  planDelete,
  planInsert,
  planLink,
  planOrigins,
  planUpdate,
  type ResourceEnd,
  resourceEnd,
  storedManaged,
} from '../store/plan-edit.ts';

/** The configuration of the job, and the numbers that the store gives to its names. */
export interface EditContext {
  readonly configuration: Configuration;
  readonly model: StoredModel;
}

/** Writes the changes of an edit into its delta; none when everything is as it says already. */
export async function planEdit(
  plan: EditPlan,
  context: EditContext,
  entityType: string,
  edit: Edit,
): Promise<void> {
  const planned = new PlannedEdit(plan, context);
  switch (edit.action) {
    case 'set':
      return await planned.set(entityType, edit.key, edit.values);
    case 'delete':
      return await planned.delete(entityType, edit.key);
    case 'link':
    case 'unlink':
      return await planned.link(entityType, edit);
  }
}

type SetEdit = Extract<Edit, { action: 'set' }>;
type LinkEdit = Extract<Edit, { action: 'link' | 'unlink' }>;

class PlannedEdit {
  readonly #plan: EditPlan;
  readonly #configuration: Configuration;
  readonly #model: StoredModel;

  constructor(plan: EditPlan, { configuration, model }: EditContext) {
    this.#plan = plan;
    this.#configuration = configuration;
    this.#model = model;
  }

  async set(entityType: string, key: string, values: SetEdit['values']): Promise<void> {
    const type = this.#typeOf(entityType);
    const id = this.#idOf(type);
    const stored = await storedManaged(this.#plan, id, key, this.#references(type));
    const edited = editedResource(type, stored, { key, values });
    if (edited.changed.length === 0) return;
    let owner: ResourceEnd;
    if (stored) {
      owner = stored;
      await planUpdate(this.#plan, id, stored.id, edited.attributes);
    } else {
      owner = { id: await planInsert(this.#plan, id, key, edited.attributes), key };
    }
    for (const property of type.properties) {
      if (property.kind !== 'reference' || !edited.changed.includes(property.name)) continue;
      const before = stored?.references[property.name];
      const after = edited.references[property.name];
      const navigation = this.#navigation(`${type.name}.${property.name}`);
      const target = async (wanted: string | undefined) =>
        wanted === undefined ? undefined : await this.#requireTarget(type, property, wanted, owner);
      await this.#replaceTarget(navigation, owner, await target(before), await target(after));
    }
    const withAuthority = type.properties
      .filter(({ name, authority }) => authority !== null && edited.changed.includes(name))
      .map(({ name }) => name);
    await planOrigins(this.#plan, id, owner.id, withAuthority, localAuthority);
  }

  async delete(entityType: string, key: string): Promise<void> {
    const type = this.#typeOf(entityType);
    refuseProtected(type, key);
    const found = await this.#requireResource(type, key);
    for (const referrer of this.#configuration.managedTypes.values()) {
      for (const property of referrer.properties) {
        if (property.kind !== 'reference' || !property.required) continue;
        if (property.references !== type.name) continue;
        const { id } = this.#navigation(`${referrer.name}.${property.name}`);
        const count = await countReferrers(this.#plan, id, found.id);
        if (count === 0) continue;
        throw new LockstepError(
          'ResourceInvalid',
          `${count} ${referrer.name} refer to this ${type.name} by ${property.name}, which is required`,
          { hint: `Give them another ${property.name} first, or delete them.` },
        );
      }
    }
    await planDelete(this.#plan, this.#idOf(type), found.id, this.#model.navigations.values());
  }

  async link(entityType: string, { action, key, property, other }: LinkEdit): Promise<void> {
    const type = this.#typeOf(entityType);
    const end = managedEnds(this.#configuration, entityType).get(property);
    if (!end) {
      throw new LockstepError('NotFound', `${type.name} has no navigation property ${property}`);
    }
    const [fromKey, toKey] = end.isFrom ? [key, other] : [other, key];
    if (end.isReference) return await this.#refer(end, action, fromKey, toKey);
    const [fromType, toType] = [this.#typeOf(end.from), this.#typeOf(end.to)];
    refuseProtected(fromType, fromKey);
    refuseProtected(toType, toKey);
    const from = await this.#requireResource(fromType, fromKey);
    const to = await this.#requireResource(toType, toKey);
    const { id } = this.#navigation(end.scope);
    const isLink = action === 'link';
    if ((await isLinked(this.#plan, id, from, to)) === isLink) return;
    await planLink(this.#plan, id, { change: isLink ? 'insert' : 'delete', from, to });
  }

  /** A reference is a value of the resource that refers, so its rules are those of setting one. */
  async #refer(
    { from, property }: ManagedEnd,
    action: LinkEdit['action'],
    fromKey: string,
    toKey: string,
  ): Promise<void> {
    const type = this.#typeOf(from);
    const id = this.#idOf(type);
    const stored = await storedManaged(this.#plan, id, fromKey, this.#references(type));
    if (!stored) await this.#requireResource(type, fromKey);
    if (action === 'unlink' && stored?.references[property] !== toKey) return;
    await this.set(from, fromKey, { [property]: action === 'link' ? toKey : null });
  }

  async #replaceTarget(
    { id }: StoredNavigation,
    from: ResourceEnd,
    before: ResourceEnd | undefined,
    after: ResourceEnd | undefined,
  ): Promise<void> {
    if (before && after) {
      await planLink(this.#plan, id, { change: 'update', from, to: after, previous: before });
    } else if (after) {
      await planLink(this.#plan, id, { change: 'insert', from, to: after });
    } else if (before) {
      await planLink(this.#plan, id, { change: 'delete', from, to: before });
    }
  }

  /** The target of a reference; a resource may refer to itself, also one that is about to be. */
  async #requireTarget(
    type: ManagedType,
    { name, references }: ManagedReference,
    key: string,
    owner: ResourceEnd,
  ): Promise<ResourceEnd> {
    if (references === type.name && key === owner.key) return owner;
    const found = await resourceEnd(this.#plan, this.#idOf(this.#typeOf(references)), key);
    if (found) return found;
    throw new LockstepError('NotFound', `${name} refers to a ${references} that does not exist`, {
      hint: `See \`lockstep list ${references}\` for those there are.`,
    });
  }

  async #requireResource(type: ManagedType, key: string): Promise<ResourceEnd> {
    const found = await resourceEnd(this.#plan, this.#idOf(type), key);
    if (found) return found;
    throw new LockstepError('NotFound', `there is no such ${type.name}`, {
      hint: `See \`lockstep list ${type.name}\` for those there are.`,
    });
  }

  #typeOf(name: string): ManagedType {
    const type = this.#configuration.managedTypes.get(name);
    if (type) return type;
    throw new LockstepError(
      'NotFound',
      `lockstep.yaml has no managed entity type ${name}; what a connector holds is edited there`,
    );
  }

  #idOf({ name }: ManagedType): number {
    return this.#model.entityTypeIds.get(name) as number;
  }

  #navigation(scope: string): StoredNavigation {
    return this.#model.navigations.get(scope) as StoredNavigation;
  }

  #references(type: ManagedType): StoredNavigation[] {
    return type.properties.flatMap(({ kind, name }) =>
      kind === 'reference' ? [this.#navigation(`${type.name}.${name}`)] : [],
    );
  }
}
