/** The keys of resources that changed ones refer to by id, where not all of their type are read. */
import type { KeyIndex } from './key-index.ts';
import type { Reference } from './row-source.ts';
import { inParallel, type TypeReading } from './type-reading.ts';

/** So many are asked for one by one; of more, the whole list is read. */
const mostSingles = 50;

/** What an export knows of resource types. */
export interface Known {
  readonly keys: KeyIndex;
  /** Resource type → the ids that were read of it. */
  readonly ids: Map<string, Set<string>>;
  /** The types of which everything was read. */
  readonly whole: Set<string>;
  /** Reads a type for its keys. */
  readonly readingOf: (type: string) => TypeReading;
}

/** Collects references while changes are read, and looks up those that are not known in the end. */
export class KeyLookup {
  /** Resource type → id → the reference; one more than are asked for one by one at most. */
  readonly #wanted = new Map<string, Map<string, Reference>>();
  /** Resource types that some reference only may be to. */
  readonly #guessed = new Set<string>();

  readonly #all = new Set<string>();

  /** Has all resources of a type read for their keys. */
  wantAll(type: string): void {
    this.#all.add(type);
  }

  want(reference: Reference): void {
    const { resourceType } = reference.target;
    if (!reference.isTyped) this.#guessed.add(resourceType);
    const wanted = this.#wanted.get(resourceType) ?? new Map<string, Reference>();
    this.#wanted.set(resourceType, wanted);
    if (wanted.size <= mostSingles) {
      wanted.set(`${reference.id} ${reference.target.key}`, reference);
    }
  }

  /** Completes the keys and ids of an export as far as its references need them. */
  async resolve(known: Known): Promise<void> {
    for (const type of this.#all) if (!known.whole.has(type)) await readWhole(known, type);
    for (const [type, wanted] of this.#wanted) {
      if (known.whole.has(type)) continue;
      const others = [...known.ids.keys()].filter(
        (other) => other !== type && !known.whole.has(other),
      );
      if (wanted.size > mostSingles) {
        await readWhole(known, type);
        for (const other of this.#guessed.has(type) ? others : []) await readWhole(known, other);
        continue;
      }
      const missing = [...wanted.values()].filter((each) => isMissing(known, type, each));
      await inParallel(missing, ({ id }) => readSingle(known, type, id));
      const unfound = missing.filter(({ id, isTyped }) => !isTyped && !has(known, type, id));
      for (const other of others) {
        await inParallel(unfound, ({ id }) => readSingle(known, other, id));
      }
    }
  }
}

function isMissing(known: Known, type: string, { target, id, isTyped }: Reference): boolean {
  return known.keys.lacks(target, id) || (!isTyped && !has(known, type, id));
}

function has({ ids }: Known, type: string, id: string): boolean {
  return ids.get(type)?.has(id) === true;
}

async function readSingle(known: Known, type: string, id: string): Promise<void> {
  if (has(known, type, id)) return;
  const resource = await known.readingOf(type).single(id);
  if (resource === undefined) return;
  known.keys.add(type, resource);
  idsOf(known, type).add(id);
}

async function readWhole(known: Known, type: string): Promise<void> {
  const seen = new Set<string>();
  for await (const { resources } of known.readingOf(type).pages(seen)) {
    for (const resource of resources) known.keys.add(type, resource);
  }
  const ids = idsOf(known, type);
  for (const id of seen) ids.add(id);
  known.whole.add(type);
}

function idsOf({ ids }: Known, type: string): Set<string> {
  const known = ids.get(type) ?? new Set<string>();
  ids.set(type, known);
  return known;
}
