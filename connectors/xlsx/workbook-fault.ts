/** What is wrong with a workbook, in words for whoever has to mend it. */
import { LockstepError } from '../../engine/errors.ts';

const saveAgain = 'Open it in a spreadsheet program and save it as “Excel Workbook (.xlsx)”.';

/** A workbook that cannot be read; `hint` defaults to having it saved again. */
export function unreadable(
  source: string,
  fault: string,
  hint = saveAgain,
  cause?: unknown,
): LockstepError {
  return new LockstepError('SourceUnreadable', `${source} ${fault}`, { hint, cause });
}
