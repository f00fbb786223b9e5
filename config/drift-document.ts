/** What `lockstep.yaml` may say about drift of a source. */
import { z } from 'zod';

const ignoreOrStop = z.enum(['ignore', 'stop']).optional();

const commonDrift = {
  newColumn: ignoreOrStop.describe(
    'A column that the source did not have at the last load, and that nothing is mapped to. Default ignore.',
  ),
  lostColumn: ignoreOrStop.describe(
    'A column of the last load that is gone, and that nothing is mapped to. Default ignore. A mapped one always stops.',
  ),
  valueFormat: ignoreOrStop.describe(
    'What spreadsheets do to a column: leading zeros lost, rounded numbers, day numbers for dates. Default stop.',
  ),
};

/** Of an entity type. */
export const drift = z
  .strictObject({
    ...commonDrift,
    typeChange: z
      .enum(['ignore', 'reject', 'stop'])
      .optional()
      .describe(
        'A mapped column whose values are of another kind than those stored. Default stop.',
      ),
  })
  .describe('What is done when the source is no longer what it was at the last load.');

/** Of an association. */
export const linkDrift = z
  .strictObject(commonDrift)
  .describe('What is done when the source is no longer what it was at the last load.');
