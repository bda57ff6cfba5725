/**
 * The strip of last executions: height says how long, outline says how it ended. Pure.
 *
 * The newest stands at the right edge, whatever their number, so that strips below each other line up in time.
 */
import { asStatus, isLive, type Status } from './status'

export interface StripEntry {
  id: string
  status: string
  started_at: string | null
  duration_ms: number | null
}

export interface StripBar {
  id: string
  status: Status
  /** Where its slot begins; the bar fills the slot but for the gap. */
  x: number
  height: number
  /** An SVG path; each status has an outline of its own. */
  outline: string
  startedAt: string | null
  durationMs: number | null
}

export const STRIP = { slots: 30, height: 26, barWidth: 5, gap: 2, least: 6 } as const
export const STRIP_WIDTH = STRIP.slots * (STRIP.barWidth + STRIP.gap) - STRIP.gap

/** Bars from left (oldest) to right; heights on a square-root scale so that one slow run hides no other. */
export function stripBars(entries: readonly StripEntry[]): StripBar[] {
  const shown = entries.slice(-STRIP.slots)
  const longest = Math.max(1, ...shown.map((entry) => entry.duration_ms ?? 0))
  return shown.map((entry, position) => {
    const share = isLive(entry.status) ? 1 : Math.sqrt((entry.duration_ms ?? 0) / longest)
    const height = Math.round(STRIP.least + share * (STRIP.height - STRIP.least))
    const status = asStatus(entry.status)
    const x = (STRIP.slots - shown.length + position) * (STRIP.barWidth + STRIP.gap)
    return {
      id: entry.id,
      status,
      x,
      height,
      outline: barOutline(status, x, height),
      startedAt: entry.started_at,
      durationMs: entry.duration_ms,
    }
  })
}

/** The positions that no execution fills yet. */
export function emptySlots(count: number): number[] {
  return Array.from(
    { length: Math.max(0, STRIP.slots - count) },
    (_, position) => position * (STRIP.barWidth + STRIP.gap),
  )
}

/**
 * The outline of a bar: flat for succeeded, a spike for failed, a slope for timed out, a notch for killed, two
 * pieces for lost; what runs is drawn as a dashed frame by the component.
 */
export function barOutline(status: Status, x: number, height: number): string {
  const { barWidth: w, height: bottom } = STRIP
  const top = bottom - height
  const right = x + w
  switch (status) {
    case 'failed':
      return `M${x} ${bottom}V${top + 4}L${x + w / 2} ${top}L${right} ${top + 4}V${bottom}z`
    case 'timed_out':
      return `M${x} ${bottom}V${top + 4}L${right} ${top}V${bottom}z`
    case 'killed':
      return `M${x} ${bottom}V${top}L${x + w / 2} ${top + 4}L${right} ${top}V${bottom}z`
    case 'lost': {
      const middle = top + height / 2
      return `M${x} ${bottom}V${middle + 1}H${right}V${bottom}zM${x} ${middle - 1}V${top}H${right}V${middle - 1}z`
    }
    default:
      return `M${x} ${bottom}V${top + 1}q0-1 1-1H${right - 1}q1 0 1 1V${bottom}z`
  }
}

/** How often each status occurs, in order of first appearance: the strip's text alternative. */
export function countStatuses(entries: readonly { status: string }[]): [Status, number][] {
  const counts = new Map<Status, number>()
  for (const { status } of entries) counts.set(asStatus(status), (counts.get(asStatus(status)) ?? 0) + 1)
  return [...counts]
}
