/** Counts over time as stacked bars, and the span a brush chooses. Pure. */
import { asStatus, STATUSES, type Status } from './status'

export interface HistogramBucket {
  at: string
  counts: Record<string, number>
}

export interface HistogramPart {
  status: Status
  y: number
  height: number
  count: number
}

export interface HistogramBar {
  at: number
  x: number
  width: number
  total: number
  parts: HistogramPart[]
}

/** Every bucket from *from* to *to*, also those the server left out because nothing ran in them. */
export function allBuckets(
  items: readonly HistogramBucket[],
  { from, to, bucketMs }: { from: number; to: number; bucketMs: number },
): HistogramBucket[] {
  const known = new Map(items.map((item) => [Math.floor((Date.parse(item.at) - from) / bucketMs), item]))
  const count = Math.max(0, Math.ceil((to - from) / bucketMs))
  return Array.from(
    { length: count },
    (_, place) => known.get(place) ?? { at: new Date(from + place * bucketMs).toISOString(), counts: {} },
  )
}

/** Bars from left to right; the highest fills *height*, what is there at all is at least 2 px high. */
export function histogramBars(
  buckets: readonly HistogramBucket[],
  { width, height }: { width: number; height: number },
): HistogramBar[] {
  const totals = buckets.map(({ counts }) => Object.values(counts).reduce((sum, count) => sum + count, 0))
  const highest = Math.max(1, ...totals)
  const step = width / Math.max(1, buckets.length)
  return buckets.map(({ at, counts }, position) => {
    let y = height
    const parts = countsInOrder(counts).map(([status, count]) => {
      const part = Math.max(2, (count / highest) * height)
      y -= part
      return { status, count, y: Math.max(0, y), height: part }
    })
    return {
      at: Date.parse(at),
      x: position * step,
      width: Math.max(1, step - 1),
      total: totals[position] ?? 0,
      parts,
    }
  })
}

/** Successes at the bottom, what went wrong on top of them, where it is seen first. */
function countsInOrder(counts: Record<string, number>): [Status, number][] {
  const known = Object.entries(counts).filter(([, count]) => count > 0)
  const place = (status: Status) => (status === 'succeeded' ? -1 : STATUSES.indexOf(status))
  return known
    .map(([status, count]): [Status, number] => [asStatus(status), count])
    .sort(([a], [b]) => place(a) - place(b))
}

/** The span between two points of the chart, as whole buckets; null for less than a click's breadth. */
export function brushedSpan(
  from: number,
  to: number,
  bars: readonly HistogramBar[],
  bucketMs: number,
): { from: number; to: number } | null {
  const [left, right] = [Math.min(from, to), Math.max(from, to)]
  const chosen = bars.filter((bar) => bar.x + bar.width >= left && bar.x <= right)
  const [first, last] = [chosen[0], chosen.at(-1)]
  return first && last ? { from: first.at, to: last.at + bucketMs } : null
}
