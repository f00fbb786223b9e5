/** The sources of all connectors as written, read for their kind: two that share a name are one, and are read in one way. */
import type { ConnectorKind } from '../engine/connector-kind.ts';
import type { Source } from '../engine/source.ts';
import type { SourceDocument } from './document.ts';
import { fileSource } from './file-source.ts';
import { sheetSource } from './sheet-source.ts';
import { rowSource } from './source-document.ts';

/** What a source is written for. */
export interface SourceUse {
  readonly connector: string;
  readonly kind: ConnectorKind | undefined;
  /** Name of the entity type or association. */
  readonly mapped: string;
  /** The columns that make a key. */
  readonly identity: readonly string[];
}

/** Reads sources one by one, and remembers them. */
export class NamedSources {
  readonly #known = new Map<string, Source>();

  /** Gives the source that is written; what is wrong with it is reported. */
  read(
    document: SourceDocument,
    { connector, kind, mapped, identity }: SourceUse,
    report: (path: readonly string[], message: string) => void,
  ): Source {
    const found =
      kind === 'sql'
        ? rowSource(mapped, document, identity, report)
        : kind === 'xlsx'
          ? sheetSource(document, report)
          : fileSource(document, report);
    const id = `${connector}/${found.name}`;
    const known = this.#known.get(id);
    this.#known.set(id, known ?? found);
    if (known && JSON.stringify(known) !== JSON.stringify(found)) {
      const instead =
        kind === 'sql' ? 'give one of them a query of its own' : 'a source has one meaning';
      report([], `is read in another way elsewhere; ${instead}`);
    }
    return found;
  }
}
