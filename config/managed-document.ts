/** The shape of managed entity types and associations in `lockstep.yaml`. */
import { z } from 'zod';
import { propertyType, searchable } from './property-options.ts';

export const authority = z
  .array(z.string().min(1))
  .min(1)
  .optional()
  .describe(
    'Who may set it, the first before the second: connectors, and local for edits by people. What one has set is not overwritten by one that stands after it, nor by one that is not named. Default: whoever changed it last.',
  );

const managedProperty = z.strictObject({
  type: propertyType,
  required: z.boolean().optional().describe('No resource is without it. Default false.'),
  searchable,
  references: z
    .string()
    .optional()
    .describe('Managed entity type whose key the value is: the property becomes a link.'),
  authority,
});

/** What managed entity types have instead of a connector and a source. */
export const managedOptions = {
  managed: z.literal(true).describe('Managed by us: mappings and people say what it holds.'),
  key: z.string().describe('The property that identifies a resource.'),
  protected: z
    .array(z.string().min(1))
    .optional()
    .describe('Keys of resources that no delta may change or delete. Default none.'),
};

export const managedProperties = managedProperty;
export type ManagedPropertyDocument = z.infer<typeof managedProperty>;

/** What managed associations have. */
export const managedAssociationOptions = {
  managed: z.literal(true).describe('Links between managed entity types.'),
};
