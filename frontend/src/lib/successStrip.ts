/**
 * How each of the last 24 hours went: a column per hour, what went well below, what did not above it. Pure.
 */

export interface CountedHour {
  /** The start of the hour. */
  at: string
  counts: Partial<Record<string, number>>
  missed: number
}

export interface HourColumn {
  at: string
  x: number
  succeeded: number
  unwell: number
  missed: number
  /** Heights in pixels; anything that happened is at least a visible line. */
  wellHeight: number
  unwellHeight: number
}

export const HOURS = { width: 18, gap: 4, height: 56 } as const

const UNWELL = ['failed', 'timed_out', 'lost', 'killed']
const LEAST = 3

function scaled(count: number, busiest: number): number {
  if (count === 0) return 0
  return Math.max(LEAST, Math.round((HOURS.height * Math.sqrt(count)) / Math.sqrt(busiest)))
}

/** Columns on a square-root scale: one failure among thousands must not vanish. */
export function hourColumns(hours: readonly CountedHour[]): HourColumn[] {
  const sums = hours.map(({ at, counts, missed }) => ({
    at,
    missed,
    succeeded: counts.succeeded ?? 0,
    unwell: missed + UNWELL.reduce((sum, status) => sum + (counts[status] ?? 0), 0),
  }))
  const busiest = Math.max(1, ...sums.map(({ succeeded, unwell }) => succeeded + unwell))
  return sums.map((hour, position) => {
    const whole = scaled(hour.succeeded + hour.unwell, busiest)
    const unwellHeight = hour.unwell
      ? Math.max(LEAST, Math.round((whole * hour.unwell) / (hour.succeeded + hour.unwell)))
      : 0
    return {
      ...hour,
      x: position * (HOURS.width + HOURS.gap),
      unwellHeight,
      wellHeight: hour.succeeded ? Math.max(LEAST, whole - unwellHeight) : 0,
    }
  })
}

export interface DaySum {
  succeeded: number
  unwell: number
  missed: number
  /** Of what ended or was missed; null where nothing did. */
  rate: number | null
}

export function sumOfDay(columns: readonly HourColumn[]): DaySum {
  const sum = { succeeded: 0, unwell: 0, missed: 0 }
  for (const hour of columns) {
    sum.succeeded += hour.succeeded
    sum.unwell += hour.unwell
    sum.missed += hour.missed
  }
  const all = sum.succeeded + sum.unwell
  return { ...sum, rate: all === 0 ? null : sum.succeeded / all }
}

/** `99.9 %`, rounded down: 99.96 % must not read as 100 %. */
export function percentText(rate: number): string {
  return `${(Math.floor(rate * 1000) / 10).toFixed(1)} %`
}
