/**
 * Walking through marks with the arrow keys, one tab stop for all of them. Pure.
 *
 * `columns` is how far one step up or down goes: rows of a grid; in a line, up and down do nothing.
 */

export interface Walk {
  count: number
  /** Marks of one column of a grid that is filled from top to bottom; 1 for a line. */
  columnLength?: number
}

/** The mark that *key* leads to from *index*; null for a key that leads nowhere. */
export function walkTo(key: string, index: number, { count, columnLength = 1 }: Walk): number | null {
  const isGrid = columnLength > 1
  const steps: Record<string, number> = {
    ArrowRight: index + columnLength,
    ArrowLeft: index - columnLength,
    Home: 0,
    End: count - 1,
    ...(isGrid ? { ArrowDown: index + 1, ArrowUp: index - 1 } : {}),
  }
  const wanted = steps[key]
  if (wanted === undefined || count === 0) return null
  return Math.min(count - 1, Math.max(0, wanted))
}
