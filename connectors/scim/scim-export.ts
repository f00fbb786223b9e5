/** Exports the sources of a SCIM service: every resource type is listed once, whatever is mapped to it. */
import type { ScimSettings } from '../../engine/scim-settings.ts';
import type { ExportRequest, ExtractedFile } from '../connector.ts';
import { type JsonObject, memberOf } from './attribute-value.ts';
import { takeChanges } from './changed-resources.ts';
import { KeyIndex } from './key-index.ts';
import { KeyLookup } from './key-lookup.ts';
import {
  digestOfSource,
  modifiedSince,
  positionOf,
  type ReadingTime,
  type ScimCursor,
  Stamps,
  voidCursor,
} from './last-modified.ts';
import type { Page } from './listing.ts';
import { type OpenSource, OpenSources, targetsOf } from './open-sources.ts';
import { planReading, type TypePlan } from './reading-plan.ts';
import { isMembersSource } from './row-source.ts';
import type { ScimClient } from './scim-client.ts';
import type { ScimService } from './service.ts';
import { TypeReading } from './type-reading.ts';

/** The service to read, as the settings see it. */
export interface ReadService {
  readonly client: ScimClient;
  readonly service: ScimService;
  readonly settings: Pick<ScimSettings, 'incremental' | 'quirks'>;
  /** In ms. */
  readonly now: () => number;
}

/**
 * Leaves a file for each source. Every path is checked before the first list is read.
 *
 * @throws LockstepError `SourceColumnMissing`, `SourceIncomplete`, `SourceEmpty`, and whatever asking does
 */
export async function exportSources(
  from: ReadService,
  request: ExportRequest,
): Promise<ExtractedFile[]> {
  const { service, settings } = from;
  await using open = await OpenSources.open(service, request.sources, request.directory);
  const plans = planReading(service, settings, open.all, request);
  const reading = new ExportReading(from, request, open, plans);
  for (const name of plans.keys()) await reading.read(name);
  return await reading.end();
}

/** What is known while one export is read. */
class ExportReading {
  readonly #from: ReadService;
  readonly #request: ExportRequest;
  readonly #open: OpenSources;
  readonly #plans: ReadonlyMap<string, TypePlan>;
  readonly #keys: KeyIndex;
  readonly #lookup = new KeyLookup();
  readonly #progress: ListProgress;
  /** Resource type → the ids that were read of it. */
  readonly #ids = new Map<string, Set<string>>();
  /** The types of which everything was read. */
  readonly #whole = new Set<string>();
  /** Resource type → where the next export may go on, in ms. */
  readonly #reached = new Map<string, number>();

  constructor(
    from: ReadService,
    request: ExportRequest,
    open: OpenSources,
    plans: ReadonlyMap<string, TypePlan>,
  ) {
    this.#from = from;
    this.#request = request;
    this.#open = open;
    this.#plans = plans;
    this.#keys = new KeyIndex(request.sources.flatMap(targetsOf));
    this.#progress = new ListProgress(request.onProgress);
  }

  /** Reads one resource type as it is planned, or completely. */
  async read(name: string): Promise<void> {
    const reading = this.#readingOf(name);
    const start = this.#start();
    const { since, sharedKeys = [] } = this.#plans.get(name) as TypePlan;
    if (since !== undefined) {
      const stamps = new Stamps();
      const ids = new Set<string>();
      const take = async (page: Page) => {
        await this.#take(name, page, stamps);
        for (const resource of page.resources) {
          ids.add(String(memberOf(resource, 'id')));
          this.#wantReferences(name, resource);
        }
      };
      if (await takeChanges(reading, { since, sharedKeys, take })) {
        this.#ids.set(name, ids);
        this.#progress.add(ids.size);
        const position = stamps.position(start());
        if (position !== undefined) this.#reached.set(name, position);
        return;
      }
      await this.#open.reopen(name);
      for (const { source } of this.#open.of(name)) {
        for (const { resourceType } of targetsOf(source)) this.#lookup.wantAll(resourceType);
      }
    }
    await this.#readWhole(name, reading);
  }

  /** Notes that reading begins; gives the times of it at its end. */
  #start(): () => ReadingTime {
    const { client, now } = this.#from;
    const [began, { serviceTime }] = [now(), client];
    return () => ({ began, serviceTime, now: now() });
  }

  /** Writes the files. */
  async end(): Promise<ExtractedFile[]> {
    const known = { keys: this.#keys, ids: this.#ids, whole: this.#whole };
    await this.#lookup.resolve({ ...known, readingOf: (name) => this.#readingOf(name) });
    const isKnown = (id: string, exceptType: string) =>
      [...this.#ids].some(([name, seen]) => name !== exceptType && seen.has(id));
    const files: ExtractedFile[] = [];
    for (const open of this.#open.all) {
      const holds = this.#whole.has(open.type) ? 'all' : 'changes';
      const file = await open.rows.end(this.#keys, isKnown, holds);
      files.push({ ...file, ...this.#cursorsOf(open, holds) });
    }
    return files;
  }

  #readingOf(name: string): TypeReading {
    const { client, service, settings } = this.#from;
    const own = this.#open.of(name);
    const stamp = this.#plans.get(name)?.sharedKeys === undefined ? [] : ['meta.lastModified'];
    return new TypeReading(client, service, service.resourceType(name), {
      paths: [...own.flatMap(({ rows }) => rows.paths), ...this.#keys.pathsOf(name), ...stamp],
      quirks: settings.quirks,
      members: own.some(({ source }) => isMembersSource(source)),
    });
  }

  async #readWhole(name: string, reading: TypeReading): Promise<void> {
    const isTracked = this.#plans.get(name)?.sharedKeys !== undefined;
    const start = this.#start();
    const stamps = new Stamps();
    const seen = new Set<string>();
    this.#ids.set(name, seen);
    this.#whole.add(name);
    for await (const page of reading.pages(seen)) {
      await this.#take(name, page, isTracked ? stamps : undefined);
    }
    this.#progress.add(seen.size);
    const position = isTracked ? stamps.position(start()) : undefined;
    if (position !== undefined && (await this.#isTrusted(reading, stamps, position))) {
      this.#reached.set(name, position);
    }
  }

  /** Whether the filter by which the next export asks finds now what the list holds. More does no harm. */
  async #isTrusted(reading: TypeReading, stamps: Stamps, position: number): Promise<boolean> {
    if (!stamps.isWhole) return false;
    const since = position - this.#overlapMs;
    const found = await reading.count(modifiedSince(since));
    return found !== undefined && found >= stamps.since(since);
  }

  async #take(name: string, { resources, done, total }: Page, stamps?: Stamps): Promise<void> {
    this.#request.signal.throwIfAborted();
    const own = this.#open.of(name);
    for (const resource of resources) {
      this.#keys.add(name, resource);
      stamps?.add(resource);
      for (const { rows } of own) rows.take(resource);
    }
    for (const { rows } of own) await rows.flushIfFull();
    this.#progress.at(done, total);
  }

  #wantReferences(name: string, resource: JsonObject): void {
    for (const { rows } of this.#open.of(name)) {
      for (const reference of rows.referencesOf(resource)) this.#lookup.want(reference);
    }
  }

  #cursorsOf(
    { source, type }: OpenSource,
    holds: 'all' | 'changes',
  ): Pick<ExtractedFile, 'cursor' | 'since'> {
    const of = digestOfSource(this.#from.service.base, source);
    const before = this.#request.cursors?.get(source.name);
    const since = holds === 'changes' ? before : undefined;
    const reached = this.#reached.get(type);
    // What was the latest may have gone.
    const positions = [reached, since === undefined ? undefined : positionOf(since, of)];
    const latest = Math.max(...positions.filter((each) => each !== undefined));
    if (!Number.isFinite(latest)) return before === undefined ? {} : { cursor: voidCursor };
    const position = new Date(latest).toISOString();
    const cursor = JSON.stringify({ of, position } satisfies ScimCursor);
    return { cursor, ...(since !== undefined && { since }) };
  }

  get #overlapMs(): number {
    return (this.#from.settings.incremental?.overlapSeconds ?? 0) * 1000;
  }
}

/** Tells how many resources are read, of how many is known. */
class ListProgress {
  readonly #tell: ExportRequest['onProgress'];
  #before = 0;

  constructor(tell: ExportRequest['onProgress']) {
    this.#tell = tell;
  }

  at(done: number, total: number | undefined): void {
    this.#tell({
      done: this.#before + done,
      total: this.#before + Math.max(done, total ?? 0),
      unit: 'rows',
    });
  }

  add(resources: number): void {
    this.#before += resources;
  }
}
