/** How long something is kept, as the file says it. */

/** `30d` or `4w` in days; null for `forever`. */
export function daysOf(duration: string): number | null {
  if (duration === 'forever') return null;
  return Number.parseInt(duration, 10) * (duration.endsWith('w') ? 7 : 1);
}
