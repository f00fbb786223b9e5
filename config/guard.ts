/** No configuration leaves a kind of change without a limit. */
import {
  resolveThresholds,
  type ThresholdSettings,
  unguardedChanges,
} from '../engine/threshold.ts';

/** Judges the limits a place sets together with those it inherits; a place that sets none was judged above it. */
export function reportUnguarded(
  path: readonly string[],
  own: object | undefined,
  inherited: ThresholdSettings,
  report: (path: readonly string[], message: string) => void,
): void {
  if (own === undefined) return;
  for (const [absolute, percentage] of unguardedChanges(resolveThresholds(own, inherited))) {
    report(path, `leaves a kind of change unguarded: give ${absolute} or ${percentage} a limit`);
  }
}
