/** The validator's issues as findings, with the options that exist where a wrong one was written. */
import { type configurationDocument, configurationJsonSchema } from './document.ts';
import { didYouMean, type Finding } from './finding.ts';

type Issue = NonNullable<
  ReturnType<typeof configurationDocument.safeParse>['error']
>['issues'][number];

/** What an issue of the validator says to the person who wrote the file. */
export function findingsOf(issue: Issue): Finding[] {
  const path = issue.path as (string | number)[];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `is not an option here${didYouMean(key, optionsAt(path))}`,
    }));
  }
  if (issue.code === 'invalid_union' && 'options' in issue && issue.options) {
    return [{ path, message: `must be one of ${issue.options.join(', ')}` }];
  }
  if (issue.code === 'invalid_union') {
    const meant = closestShape(issue.errors as Issue[][]);
    if (meant !== undefined) {
      return meant.flatMap((inner) =>
        findingsOf({ ...inner, path: [...path, ...inner.path] } as Issue),
      );
    }
    const source =
      'must be the name of a file or table, or { table: … }, { query: … } or { file: …, sheet: … }';
    const other = 'must be a number or unlimited, or for a schedule { every: … } or never';
    return [{ path, message: path.at(-1) === 'source' ? source : other }];
  }
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, message }));
  return [{ path, message: issue.message }];
}

/**
 * Of several shapes the one that what was written is closest to: an option that it does not have weighs more than one
 * that is missing or wrong. Undefined when what was written is of another type altogether.
 */
function closestShape(shapes: readonly Issue[][]): Issue[] | undefined {
  const distance = (shape: Issue[]) =>
    shape.reduce(
      (sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 2 * issue.keys.length : 1),
      0,
    );
  return shapes
    .filter((shape) =>
      shape.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
    )
    .toSorted((one, other) => distance(one) - distance(other))[0];
}

interface SchemaNode {
  readonly properties?: Record<string, SchemaNode>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: SchemaNode[];
  readonly oneOf?: SchemaNode[];
}

/** The option names that the schema knows at a path, whatever the shape. */
function optionsAt(path: readonly (string | number)[]): string[] {
  let nodes: SchemaNode[] = alternatives(configurationJsonSchema() as SchemaNode);
  for (const step of path) {
    nodes = nodes
      .map(
        ({ properties, additionalProperties }) =>
          properties?.[step] ??
          (typeof additionalProperties === 'object' ? additionalProperties : undefined),
      )
      .flatMap((found) => (found === undefined ? [] : alternatives(found)));
  }
  return [...new Set(nodes.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

function alternatives(node: SchemaNode): SchemaNode[] {
  return node.anyOf ?? node.oneOf ?? [node];
}

/** A copy of a document without the values that the validator found fault with. */
export function withoutFaults(document: unknown, issues: readonly Issue[]): unknown {
  const copy: unknown = structuredClone(document);
  for (const issue of issues) {
    const paths =
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => [...issue.path, key])
        : [issue.path];
    for (const path of paths) remove(copy, path);
  }
  return copy;
}

function remove(document: unknown, path: readonly PropertyKey[]): void {
  let parent = document;
  for (const step of path.slice(0, -1)) {
    if (typeof parent !== 'object' || parent === null) return;
    parent = (parent as Record<PropertyKey, unknown>)[step];
  }
  const last = path.at(-1);
  if (typeof parent === 'object' && parent !== null && last !== undefined) {
    delete (parent as Record<PropertyKey, unknown>)[last];
  }
}
