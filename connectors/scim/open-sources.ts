/** The sources of an export while they are read, by the resource type that they are read of. */
import type { ScimMembersSource, ScimSource, ScimTarget, Source } from '../../engine/source.ts';
import { isMembersSource, MemberRows, ResourceRows, type RowSource } from './row-source.ts';
import type { ScimService } from './service.ts';

/** One of them. */
export interface OpenSource {
  readonly source: Source<ScimSource | ScimMembersSource>;
  readonly type: string;
  readonly rows: RowSource;
}

/** Opened all at once, so that every path is checked before anything is read. */
export class OpenSources implements AsyncDisposable {
  readonly #service: ScimService;
  readonly #directory: string;
  #open: OpenSource[] = [];

  private constructor(service: ScimService, directory: string) {
    this.#service = service;
    this.#directory = directory;
  }

  static async open(
    service: ScimService,
    sources: readonly Source[],
    directory: string,
  ): Promise<OpenSources> {
    const opened = new OpenSources(service, directory);
    try {
      for (const source of sources) await opened.#add(source as OpenSource['source']);
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { rows } of this.#open) await rows[Symbol.asyncDispose]();
  }

  /** In the order in which they were given. */
  get all(): readonly OpenSource[] {
    return this.#open;
  }

  of(type: string): OpenSource[] {
    return this.#open.filter((each) => each.type === type);
  }

  /** Throws away what was read of a type. */
  async reopen(type: string): Promise<void> {
    for (const [index, each] of this.#open.entries()) {
      if (each.type !== type) continue;
      await each.rows[Symbol.asyncDispose]();
      this.#open[index] = { ...each, rows: await this.#rowsOf(each.source) };
    }
  }

  async #add(source: OpenSource['source']): Promise<void> {
    const rows = await this.#rowsOf(source);
    this.#open.push({ source, type: source.options.resourceType, rows });
  }

  async #rowsOf(source: OpenSource['source']): Promise<RowSource> {
    const type = this.#service.resourceType(source.options.resourceType);
    const place = { directory: this.#directory, service: this.#service, type };
    return isMembersSource(source)
      ? await MemberRows.open(source, place)
      : await ResourceRows.open(source as Source<ScimSource>, place);
  }
}

/** The paths that are mapped. */
export function pathsOf(source: Source): string[] {
  if (isMembersSource(source)) return [source.options.attribute, source.options.holder];
  return [...(source as Source<ScimSource>).options.paths];
}

/** What resources of a source may refer to by their id. */
export function targetsOf(source: Source): ScimTarget[] {
  if (isMembersSource(source)) return [source.options.member];
  return (source as Source<ScimSource>).options.references.map(({ target }) => target);
}
