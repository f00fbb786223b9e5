/** The rows that resources of a SCIM service become: one for each resource, or one for each of its members. */
import { basename, join } from 'node:path';
import { type AttributePath, parseAttributePath } from '../../engine/attribute-path.ts';
import { LockstepError } from '../../engine/errors.ts';
import {
  memberColumn,
  type ScimMembersSource,
  type ScimSource,
  type ScimTarget,
  type Source,
} from '../../engine/source.ts';
import type { ExtractedFile } from '../connector.ts';
import { RecordFile } from '../record-file.ts';
import { extractedName } from '../source-file.ts';
import { attributeOf, cellAt, isJsonObject, type JsonObject, memberOf } from './attribute-value.ts';
import type { KeyIndex } from './key-index.ts';
import { resourceCell } from './resource-cell.ts';
import type { ScimResourceType, ScimService } from './service.ts';
import { Spool } from './spool.ts';

/** One source of an export while its resources are read. */
export interface RowSource extends AsyncDisposable {
  /** The paths that are looked at in each resource. */
  readonly paths: readonly string[];
  take(resource: JsonObject): void;
  flushIfFull(): Promise<void>;
  /** What a resource refers to by ids. */
  referencesOf(resource: JsonObject): Reference[];
  /**
   * Writes the file of the extraction, once everything is read.
   *
   * @param holds everything, or what changed, of which there may be nothing
   */
  end(keys: KeyIndex, known: IsKnown, holds: 'all' | 'changes'): Promise<ExtractedFile>;
}

/** The id of another resource. */
export interface Reference {
  readonly target: ScimTarget;
  readonly id: string;
  /** False where the service does not say of which type it is. */
  readonly isTyped: boolean;
}

/** True when a resource of this id was read of some other type than this. */
export type IsKnown = (id: string, exceptType: string) => boolean;

/** Where the export writes, and what it reads. */
export interface RowPlace {
  readonly directory: string;
  readonly service: ScimService;
  readonly type: ScimResourceType;
}

/** True for the elements of an attribute, false for whole resources. */
export function isMembersSource(
  source: Source,
): source is Source<ScimMembersSource> & { options: ScimMembersSource } {
  return 'attribute' in source.options;
}

/** A path of the mapping, against the schema of its resources. */
export function checkedPath(text: string, source: string, type: ScimResourceType): AttributePath {
  const path = parseAttributePath(text);
  const problem = type.schema?.problemOf(path);
  if (problem === undefined) return path;
  throw new LockstepError('SourceColumnMissing', `${source} has no “${text}”: ${problem}`, {
    fault: 'schema',
    hint: 'Correct the path in lockstep.yaml. Where the service has the attribute and does not say so, `overrides: { ignoreSchemas: true }` believes the mapping.',
  });
}

/** Makes rows that wait in a file of their own, which goes when they cannot be made. */
async function withSpool<Rows>(
  { name }: Source,
  { directory }: RowPlace,
  make: (spool: Spool) => Rows,
): Promise<Rows> {
  const spool = await Spool.create(join(directory, `.${extractedName(name)}`));
  try {
    return make(spool);
  } catch (error) {
    await spool[Symbol.asyncDispose]();
    throw error;
  }
}

/** A row for each resource. */
export class ResourceRows implements RowSource {
  readonly paths: readonly string[];
  readonly #source: Source<ScimSource>;
  readonly #place: RowPlace;
  readonly #columns: readonly { readonly heading: string; readonly path: AttributePath }[];
  /** What each column refers to. */
  readonly #targets: readonly (ScimTarget | undefined)[];
  readonly #spool: Spool;
  /** Headings of which some resource holds anything. */
  readonly #present = new Set<string>();
  #rows = 0;

  private constructor(source: Source<ScimSource>, place: RowPlace, spool: Spool) {
    this.#source = source;
    this.#place = place;
    this.#spool = spool;
    // A row without a key still says which resource it is.
    this.paths = [...new Set(['id', ...source.options.paths])];
    this.#columns = this.paths.map((heading) => ({
      heading,
      path: checkedPath(heading, source.name, place.type),
    }));
    const { references } = source.options;
    this.#targets = this.paths.map(
      (heading) => references.find(({ path }) => path === heading)?.target,
    );
  }

  static open(source: Source<ScimSource>, place: RowPlace): Promise<ResourceRows> {
    return withSpool(source, place, (spool) => new ResourceRows(source, place, spool));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool[Symbol.asyncDispose]();
  }

  take(resource: JsonObject): void {
    this.#rows += 1;
    const cells = this.#columns.map(({ heading, path }) => {
      if (attributeOf(resource, path) !== undefined) this.#present.add(heading);
      return resourceCell(resource, path, this.#place);
    });
    this.#spool.add(cells);
  }

  flushIfFull(): Promise<void> {
    return this.#spool.flushIfFull();
  }

  referencesOf(resource: JsonObject): Reference[] {
    return this.#columns.flatMap(({ path }, index) => {
      const target = this.#targets[index];
      const id = target === undefined ? '' : cellAt(resource, path);
      return target === undefined || id === '' ? [] : [{ target, id, isTyped: true }];
    });
  }

  async end(keys: KeyIndex, _: IsKnown, holds: 'all' | 'changes'): Promise<ExtractedFile> {
    const { name } = this.#source;
    if (holds === 'all') {
      if (this.#rows === 0) throw empty(name, 'no resources');
      this.#checkPresence();
    }
    const path = join(this.#place.directory, `${extractedName(name)}.csv`);
    await using file = await RecordFile.create(path, name);
    file.add(this.paths);
    for await (const cells of this.#spool.lists()) {
      // What is no id of a resource there may be its key already.
      file.add(
        cells.map((cell, index) => {
          const target = this.#targets[index];
          return (target && keys.keyOf(target, cell)) ?? cell;
        }),
      );
      await file.flushIfFull();
    }
    return { source: name, file: basename(path), ...(await file.end(holds === 'all' ? 1 : 0)) };
  }

  /** Where there is no schema to ask, an attribute that no resource has is taken for a slip. */
  #checkPresence(): void {
    if (this.#place.type.schema !== undefined) return;
    const absent = this.paths.find((path) => !this.#present.has(path));
    if (absent === undefined) return;
    throw new LockstepError(
      'SourceColumnMissing',
      `${this.#source.name} has no “${absent}”: no resource holds it, and the service does not tell its schemas`,
      {
        fault: 'schema',
        hint: 'Correct the path in lockstep.yaml; take the property out of it while nobody has a value.',
      },
    );
  }
}

/** A row for each member of each resource: the key of the one and of the other. */
export class MemberRows implements RowSource {
  readonly paths: readonly string[];
  readonly #source: Source<ScimMembersSource>;
  readonly #place: RowPlace;
  readonly #attribute: AttributePath;
  readonly #holder: AttributePath;
  readonly #spool: Spool;

  private constructor(source: Source<ScimMembersSource>, place: RowPlace, spool: Spool) {
    const { attribute, holder } = source.options;
    this.#source = source;
    this.#place = place;
    this.#spool = spool;
    this.paths = [attribute, holder];
    this.#attribute = checkedPath(attribute, source.name, place.type);
    this.#holder = checkedPath(holder, source.name, place.type);
  }

  static open(source: Source<ScimMembersSource>, place: RowPlace): Promise<MemberRows> {
    return withSpool(source, place, (spool) => new MemberRows(source, place, spool));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool[Symbol.asyncDispose]();
  }

  take(resource: JsonObject): void {
    const value = attributeOf(resource, this.#attribute);
    if (value === undefined || value === null) return;
    const holder = cellAt(
      resource,
      this.#holder,
      this.#place.type.schema?.isCaseExact(this.#holder),
    );
    for (const element of Array.isArray(value) ? value : [value]) {
      this.#spool.add([holder, ...this.#memberOf(element)]);
    }
  }

  referencesOf(resource: JsonObject): Reference[] {
    const value = attributeOf(resource, this.#attribute) ?? [];
    const { member: target } = this.#source.options;
    const wanted = target.resourceType.toLowerCase();
    return (Array.isArray(value) ? value : [value]).flatMap((element) => {
      const [id, type] = this.#memberOf(element);
      return type === '' || type === wanted ? [{ target, id, isTyped: type !== '' }] : [];
    });
  }

  flushIfFull(): Promise<void> {
    return this.#spool.flushIfFull();
  }

  async end(keys: KeyIndex, isKnown: IsKnown, holds: 'all' | 'changes'): Promise<ExtractedFile> {
    const { name, options } = this.#source;
    const { holder, attribute, member } = options;
    const wanted = member.resourceType.toLowerCase();
    const path = join(this.#place.directory, `${extractedName(name)}.csv`);
    await using file = await RecordFile.create(path, name);
    file.add([holder, memberColumn(attribute, member)]);
    let rows = 0;
    for await (const [holderKey = '', id = '', type = ''] of this.#spool.lists()) {
      if (type !== '' && type !== wanted) continue;
      const key = keys.keyOf(member, id);
      // Said to be nothing, and read as something else: a group within a group, say.
      if (type === '' && isKnown(id, member.resourceType)) continue;
      // An id that nobody has stays as it is, and becomes a reference to nobody.
      file.add([holderKey, key ?? id]);
      rows += 1;
      await file.flushIfFull();
    }
    if (rows === 0 && holds === 'all') throw empty(name, `no ${member.resourceType}`);
    return { source: name, file: basename(path), ...(await file.end(holds === 'all' ? 1 : 0)) };
  }

  /** The id of a member, and its resource type in lower case where that is said. */
  #memberOf(element: unknown): [string, string] {
    if (!isJsonObject(element)) return [String(element ?? ''), ''];
    const { resourceTypes } = this.#place.service;
    const reference = String(memberOf(element, '$ref') ?? '');
    const [place = '', id = ''] = reference.split('/').slice(-2);
    const value = memberOf(element, 'value');
    // The type of `User.groups`, for one, says direct or indirect.
    const said = String(memberOf(element, 'type') ?? '').toLowerCase();
    const type =
      resourceTypes.find(({ name }) => name.toLowerCase() === said) ??
      resourceTypes.find(({ url }) => place !== '' && url.pathname.endsWith(`/${place}`));
    const ownId = typeof value === 'string' && value !== '' ? value : decodeURIComponent(id);
    return [ownId, type?.name.toLowerCase() ?? (/^(user|group)$/.test(said) ? said : '')];
  }
}

function empty(source: string, what: string): LockstepError {
  return new LockstepError('SourceEmpty', `${source} holds ${what}`, {
    hint: 'An empty source is never taken as “everybody left”. Find out why it is empty, or whether the credentials may see it; nothing was changed.',
  });
}
