/** Durations of the last executions as dots, with the lines of p50 and p95. Pure. */
import { asStatus, type Status } from './status'

export interface TimedExecution {
  id: string
  status: string
  started_at: string | null
  duration_ms: number | null
}

export interface DurationDot {
  id: string
  status: Status
  x: number
  y: number
  startedAt: string | null
  durationMs: number
}

export interface DurationLine {
  name: 'p50' | 'p95'
  y: number
  ms: number
}

export interface DurationChart {
  dots: DurationDot[]
  lines: DurationLine[]
  /** What the upper edge stands for. */
  topMs: number
}

export const CHART = { width: 420, height: 96, pad: 6 } as const

/** Oldest at the left; *executions* come newest first, as the list does. What still runs has no duration yet. */
export function durationChart(
  executions: readonly TimedExecution[],
  { p50, p95 }: { p50: number | null; p95: number | null },
): DurationChart {
  const timed = executions.filter(({ duration_ms }) => duration_ms !== null).reverse()
  const topMs = Math.max(1, p95 ?? 0, ...timed.map(({ duration_ms }) => duration_ms ?? 0))
  const yOf = (ms: number) =>
    Math.round(10 * (CHART.height - CHART.pad - (ms / topMs) * (CHART.height - 2 * CHART.pad))) / 10
  const step = (CHART.width - 2 * CHART.pad) / Math.max(1, timed.length - 1)
  const lines = [
    ['p50', p50],
    ['p95', p95],
  ] as const
  return {
    topMs,
    dots: timed.map((execution, position) => ({
      id: execution.id,
      status: asStatus(execution.status),
      x: Math.round(10 * (CHART.pad + position * step)) / 10,
      y: yOf(execution.duration_ms ?? 0),
      startedAt: execution.started_at,
      durationMs: execution.duration_ms ?? 0,
    })),
    lines: lines.flatMap(([name, ms]) => (ms === null ? [] : [{ name, ms, y: yOf(ms) }])),
  }
}

/** The outline of a dot: its shape tells the status without its hue. */
export function dotOutline({ status, x, y }: Pick<DurationDot, 'status' | 'x' | 'y'>): string {
  switch (status) {
    case 'succeeded':
      return `M${x - 2.5} ${y}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0z`
    case 'timed_out':
      return `M${x} ${y - 4}L${x + 4} ${y}L${x} ${y + 4}L${x - 4} ${y}z`
    case 'killed':
      return `M${x - 3} ${y - 3}h6v6h-6z`
    case 'lost':
      return `M${x - 4} ${y - 3}h8L${x} ${y + 4}z`
    default:
      return `M${x - 4} ${y + 3}h8L${x} ${y - 4}z`
  }
}
