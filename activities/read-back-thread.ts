/** The thread that maps what was read back of an entity type with expressions: apart from the worker, as in an import. */
import { parentPort, workerData } from 'node:worker_threads';
import { compileExpression } from '../connectors/expression.ts';
import type { EntityType } from '../engine/entity-type.ts';
import { compileEntityMapping, type Evaluate, Header } from '../engine/row-mapping.ts';

/** What one thread is for. */
export interface ReadBackThreadData {
  readonly entityType: EntityType;
  readonly header: readonly string[];
  /** Every entity type that may be referenced. */
  readonly entityTypes: readonly EntityType[];
}

export interface ReadBackQuestion {
  readonly nth: number;
  readonly cells: readonly string[];
}

const { entityType, header, entityTypes } = workerData as ReadBackThreadData;
const evaluators = new Map<string, Evaluate>();
for (const { name, origin } of entityType.properties) {
  if (origin.from === 'expression') evaluators.set(name, compileExpression(origin.expression));
}
const map = compileEntityMapping(
  entityType,
  new Header(header),
  new Map(entityTypes.map((type) => [type.name, type])),
  evaluators,
);

parentPort?.on('message', ({ nth, cells }: ReadBackQuestion) => {
  void Promise.resolve(map(cells)).then((mapped) => parentPort?.postMessage({ nth, mapped }));
});
