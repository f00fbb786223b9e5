/** The shape of mappings in `lockstep.yaml`. */
import { z } from 'zod';
import { correlationIgnores, reactions, situations } from '../engine/mapping.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const pair = z.strictObject({
  source: z.string().min(1).describe('Property of the source.'),
  target: z.string().min(1).describe('Property of the target.'),
  ignore: z
    .array(z.enum(correlationIgnores))
    .optional()
    .describe(
      'What values may differ in: case, accents, emailDomain (what stands after the @). Default nothing.',
    ),
});

const rule = z.union([
  pair,
  z.strictObject({
    all: z.array(pair).min(1).describe('All of them must agree.'),
  }),
]);

const attribute = z.union([
  z
    .string()
    .min(1)
    .describe(
      'A property of the source, the path of one (name.givenName), or JSONata over its properties.',
    ),
  z.strictObject({
    property: z.string().min(1).optional().describe('A property of the source.'),
    expression: z.string().min(1).optional().describe('JSONata over the properties of the source.'),
    value: scalar.optional().describe('Always this.'),
    onCreateOnly: z
      .boolean()
      .optional()
      .describe('Set when a resource is created, and left alone from then on. Default false.'),
  }),
]);

/** What a mapping has, but for its limits. */
export const mappingOptions = {
  source: z.string().describe('Entity type that the values come from.'),
  target: z
    .string()
    .describe(
      'Entity type that they go to: a managed one, or one of a connector that can be written to.',
    ),
  correlate: z
    .array(rule)
    .optional()
    .describe('How counterparts are found, in order: the first rule that finds any decides.'),
  onMatch: z
    .enum(['link-and-confirm', 'link-but-do-not-confirm'])
    .optional()
    .describe(
      'Whether a counterpart that a rule finds is confirmed at once, or by a person (`lockstep confirm`) before anything is written. Default link-and-confirm.',
    ),
  operations: z
    .array(z.enum(['create', 'update', 'delete']))
    .optional()
    .describe('What may be done to the target. Default create, update.'),
  maximumCreates: z
    .int()
    .min(0)
    .nullable()
    .optional()
    .describe('A job that would create more asks first. Blank: not limited by count.'),
  maximumDeletes: z
    .int()
    .min(0)
    .nullable()
    .optional()
    .describe('A job that would delete more asks first. Blank: not limited by count.'),
  onSourceMissing: z
    .enum(['keep', 'disable', 'unmatch', 'delete'])
    .optional()
    .describe('What is done to the target when its source is gone. Default keep.'),
  gracePeriod: z
    .string()
    .regex(/^[1-9]\d{0,3}[dw]$/, 'write a number and d or w, as in 30d')
    .optional()
    .describe('How long a source has to be gone before onSourceMissing is done. Default at once.'),
  disable: z
    .record(z.string(), scalar)
    .optional()
    .describe('What disabling sets on the target. Default active: false.'),
  situations: z
    .partialRecord(z.enum(situations), z.enum(reactions))
    .optional()
    .describe(
      'Reactions other than the defaults; docs/mappings.md says which a situation may be given.',
    ),
  where: z
    .string()
    .min(1)
    .optional()
    .describe('JSONata over the properties of the source: only resources for which it is true.'),
  follows: z
    .boolean()
    .optional()
    .describe('Runs by itself when a job has changed its source. Default true.'),
  properties: z
    .record(z.string(), attribute)
    .describe('Property of the target → where its value comes from. Links are mapped likewise.'),
};

const mapping = z.strictObject(mappingOptions);
export type MappingOptions = z.infer<typeof mapping>;
export type AttributeDocument = z.infer<typeof attribute>;
export type CorrelationDocument = z.infer<typeof rule>;
