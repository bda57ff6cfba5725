/**
 * Ninety days of one job as a calendar: columns are weeks from Monday, hue and mark say how the day went. Pure.
 *
 * Days are UTC days, as the server counts them.
 */

export interface CountedDay {
  /** `2026-03-29` */
  day: string
  total: number
  by_status: Partial<Record<string, number>>
}

/** `none`: nothing ran. `well`: nothing failed. `partly`: some failed. `badly`: half or more failed. */
export type DayFate = 'none' | 'well' | 'partly' | 'badly'

export interface HeatCell {
  day: string
  column: number
  row: number
  x: number
  y: number
  total: number
  unwell: number
  fate: DayFate
  /** 1 to 4: how much ran, seen from the busiest day; 0 where nothing ran. */
  strength: number
}

export interface HeatMonth {
  x: number
  /** The first of the month, for the label. */
  day: string
}

export const HEAT = { days: 90, cell: 17, gap: 3, top: 16, left: 30 } as const

const DAY_MS = 86_400_000
const UNWELL = ['failed', 'timed_out', 'lost', 'killed']

function weekday(ms: number): number {
  return (new Date(ms).getUTCDay() + 6) % 7
}

function fateOf(total: number, unwell: number): DayFate {
  if (total === 0) return 'none'
  if (unwell === 0) return 'well'
  return unwell * 2 >= total ? 'badly' : 'partly'
}

/** One cell per day up to and with *today*, oldest first. */
export function heatCells(perDay: readonly CountedDay[], today: string): HeatCell[] {
  const known = new Map(perDay.map((counted) => [counted.day, counted]))
  const busiest = Math.max(1, ...perDay.map(({ total }) => total))
  const last = Date.parse(today)
  const first = last - (HEAT.days - 1) * DAY_MS
  const offset = weekday(first)
  return Array.from({ length: HEAT.days }, (_, index) => {
    const ms = first + index * DAY_MS
    const day = new Date(ms).toISOString().slice(0, 10)
    const { total = 0, by_status = {} } = known.get(day) ?? {}
    const unwell = UNWELL.reduce((sum, status) => sum + (by_status[status] ?? 0), 0)
    const column = Math.floor((index + offset) / 7)
    const row = weekday(ms)
    return {
      day,
      column,
      row,
      x: HEAT.left + column * (HEAT.cell + HEAT.gap),
      y: HEAT.top + row * (HEAT.cell + HEAT.gap),
      total,
      unwell,
      fate: fateOf(total, unwell),
      strength: total === 0 ? 0 : Math.max(1, Math.ceil((4 * total) / busiest)),
    }
  })
}

/** Where each month begins; the first column is named too where the next label leaves it room. */
export function heatMonths(cells: readonly HeatCell[]): HeatMonth[] {
  const starts = cells.filter(({ day }) => day.endsWith('-01')).map(({ x, day }) => ({ x, day }))
  const first = cells[0]
  const room = (starts[0]?.x ?? Number.POSITIVE_INFINITY) - (first?.x ?? 0)
  return first && room > 2 * (HEAT.cell + HEAT.gap) ? [{ x: first.x, day: first.day }, ...starts] : starts
}

export function heatSize(cells: readonly HeatCell[]): { width: number; height: number } {
  const columns = (cells.at(-1)?.column ?? 0) + 1
  return {
    width: HEAT.left + columns * (HEAT.cell + HEAT.gap) - HEAT.gap,
    height: HEAT.top + 7 * (HEAT.cell + HEAT.gap) - HEAT.gap,
  }
}
