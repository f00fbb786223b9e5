/** The source of an entity type or association as written, as what its connector reads; and the address of a database. */
import type { QuerySource, Source, Watermark } from '../engine/source.ts';
import type { SourceDocument } from './document.ts';

type Report = (path: readonly string[], message: string) => void;

const secondsIn = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `30m` in seconds. */
export function secondsOf(duration: string): number {
  return Number(duration.slice(0, -1)) * secondsIn[duration.slice(-1) as keyof typeof secondsIn];
}

/**
 * A table or query. A table gives the source its name; a query is named after what it is mapped to.
 *
 * @param mapped name of the entity type or association
 * @param identity the columns that make its key
 */
export function rowSource(
  mapped: string,
  document: SourceDocument,
  identity: readonly string[],
  report: Report,
): Source<QuerySource> {
  if (typeof document === 'object' && 'file' in document) {
    report([], 'must be a table or a query; files are read by a connector of another kind');
    return { name: document.file, options: { relation: { table: [] } } };
  }
  const {
    table,
    query,
    watermark: column,
    overlap,
    deleted,
  } = typeof document === 'string' ? { table: document } : { table: undefined, ...document };
  if ((table === undefined) === (query === undefined)) {
    report([], 'needs either a table or a query');
  }
  if (overlap !== undefined && column === undefined) {
    report(['overlap'], 'has a meaning only together with `watermark`');
  }
  const parts = table === undefined ? [] : partsOf(table);
  if (parts === undefined || parts.length > 2) {
    report(
      typeof document === 'string' ? [] : ['table'],
      'must be a table, as in person or hr.person; put a name with a dot in it in double quotes',
    );
  }
  const watermark: Watermark | undefined =
    column === undefined
      ? undefined
      : {
          column,
          ...(overlap !== undefined && {
            overlap:
              typeof overlap === 'number' ? { versions: overlap } : { seconds: secondsOf(overlap) },
          }),
        };
  return {
    name: table ?? `query of ${mapped}`,
    options: {
      relation: query === undefined ? { table: parts ?? [] } : { query },
      ...(watermark && { watermark }),
      ...(deleted !== undefined && { deleted }),
      ...((watermark || deleted !== undefined) && identity.length > 0 && { identity }),
    },
  };
}

/** `hr."odd.name"` as its parts; undefined when it is no name. */
function partsOf(table: string): string[] | undefined {
  if (!/^(?:[^".]+|"[^"]+")(?:\.(?:[^".]+|"[^"]+"))*$/.test(table)) return undefined;
  return [...table.matchAll(/"([^"]+)"|([^".]+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

/**
 * What is wrong with an address as it is written, before the environment is put in: a password must not stand in the
 * file. It is said without the address.
 *
 * @param document the whole of the file, not validated
 */
export function problemOfUrl(document: unknown, path: readonly string[]): string | undefined {
  let written = document;
  for (const step of path) written = (written as Record<string, unknown> | undefined)?.[step];
  const secret = 'FROMENVIRONMENT';
  const url = URL.parse(String(written).replaceAll(/\$\{[^}]*\}/g, secret));
  const passwords = url ? [url.password, ...url.searchParams.getAll('password')] : [];
  return passwords.every((password) => password === '' || password === secret)
    ? undefined
    : `holds a password; secrets come from the environment only, as in \${HR_DATABASE_URL}`;
}
