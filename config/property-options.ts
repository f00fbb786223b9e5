/** Options that properties have in `lockstep.yaml`, of connected and of managed entity types alike. */
import { z } from 'zod';

export const propertyType = z
  .enum(['string', 'integer', 'number', 'boolean', 'date', 'datetime'])
  .optional()
  .describe('Default string.');

export const searchable = z
  .boolean()
  .optional()
  .describe(
    'Keep an index, so that a search for a value of it is fast at any size. Default false.',
  );
