/** Lines of a worker's load over time. Pure. */

export interface LoadPoint {
  at: string
  value: number | null
}

/** The longest pause between two points that a line bridges: beyond it the worker was away. */
const LONGEST_PAUSE = 3

/**
 * The path of *points* in a box of *width* and *height* for values from 0 to *most*; a hole where nothing was
 * reported.
 */
export function linePath(
  points: readonly LoadPoint[],
  window: { from: number; to: number },
  { width, height, most }: { width: number; height: number; most: number },
): string {
  const known = points.flatMap(({ at, value }) => (value === null ? [] : [{ at: Date.parse(at), value }]))
  const usual = usualPause(known.map(({ at }) => at))
  let before: number | null = null
  return known
    .map(({ at, value }) => {
      const x = ((at - window.from) / Math.max(1, window.to - window.from)) * width
      const y = height - (Math.min(value, most) / Math.max(1e-9, most)) * height
      const command = before !== null && at - before <= LONGEST_PAUSE * usual ? 'L' : 'M'
      before = at
      // A stroke of no length, so that a point that stands alone is seen.
      return `${command}${x.toFixed(1)} ${y.toFixed(1)}${command === 'M' ? 'h0' : ''}`
    })
    .join('')
}

function usualPause(instants: readonly number[]): number {
  const pauses = instants.slice(1).map((at, position) => at - (instants[position] ?? at))
  pauses.sort((a, b) => a - b)
  return pauses[Math.floor(pauses.length / 2)] ?? 0
}

/** Smallest, mean and largest value, for the text beside the line; null where nothing was reported. */
export function spreadOf(points: readonly LoadPoint[]): { least: number; mean: number; most: number } | null {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]))
  if (values.length === 0) return null
  return {
    least: Math.min(...values),
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    most: Math.max(...values),
  }
}
