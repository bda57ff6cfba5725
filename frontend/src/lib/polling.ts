/** When to ask again. Pure. */

const LONGEST_MS = 60_000

/** The usual interval, doubled for each failure in a row, a minute at most; it never stops asking. */
export function nextPollMs(intervalMs: number, failuresInARow: number): number {
  return Math.min(intervalMs * 2 ** Math.min(failuresInARow, 10), Math.max(LONGEST_MS, intervalMs))
}
