/** This browser's clock against the server's: a countdown is only as right as the clock it is made from. */

/** Farther apart, countdowns and "just now" are visibly wrong. */
export const CLOCKS_APART_MS = 2_000

/**
 * How far this clock is ahead of the server's (negative: behind), from one answer.
 *
 * The server read its clock somewhere between question and answer; the middle is the best guess.
 */
export function clockAheadMs(serverTime: string, askedAt: number, answeredAt: number): number {
  return Math.round((askedAt + answeredAt) / 2 - Date.parse(serverTime))
}
