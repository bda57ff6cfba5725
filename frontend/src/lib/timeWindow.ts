/** The span of time a page shows: a length around now, or one that was moved away from it. Pure. */
const MINUTE = 60_000

export const SPANS = { '1h': 60, '3h': 180, '12h': 720, '24h': 1440, '48h': 2880 } as const

export type SpanName = keyof typeof SPANS

export const SPAN_NAMES = Object.keys(SPANS) as SpanName[]

export function asSpan(text: string | undefined): SpanName {
  return SPAN_NAMES.find((name) => name === text) ?? '3h'
}

/**
 * The window of *span* whose middle is *center*; without one it follows now, with a third of it in the future.
 *
 * A window that follows moves in steps, so that it is asked for anew once a step and not every second.
 */
export function windowAround(
  span: SpanName,
  center: number | null,
  now: number,
): { from: number; to: number } {
  const length = SPANS[span] * MINUTE
  if (center !== null) return { from: center - length / 2, to: center + length / 2 }
  const step = Math.max(MINUTE / 6, length / 720)
  const end = Math.ceil((now + length / 3) / step) * step
  return { from: end - length, to: end }
}

/** The middle after a move by *by* half windows. */
export function movedBy(by: number, window: { from: number; to: number }): number {
  return Math.round((window.from + window.to) / 2 + (by * (window.to - window.from)) / 2)
}
