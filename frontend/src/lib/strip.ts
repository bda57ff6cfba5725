/** The strip of last executions: height says how long, form says how it ended. Pure. */
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
  x: number
  y: number
  height: number
  startedAt: string | null
  durationMs: number | null
}

export const STRIP = { height: 26, barWidth: 5, gap: 2, least: 5 } as const

/** Bars from left (oldest) to right; heights on a square-root scale so that one slow run hides no other. */
export function stripBars(entries: readonly StripEntry[]): StripBar[] {
  const longest = Math.max(1, ...entries.map((entry) => entry.duration_ms ?? 0))
  return entries.map((entry, position) => {
    const share = isLive(entry.status) ? 1 : Math.sqrt((entry.duration_ms ?? 0) / longest)
    const height = Math.round(STRIP.least + share * (STRIP.height - STRIP.least))
    return {
      id: entry.id,
      status: asStatus(entry.status),
      x: position * (STRIP.barWidth + STRIP.gap),
      y: STRIP.height - height,
      height,
      startedAt: entry.started_at,
      durationMs: entry.duration_ms,
    }
  })
}

/** How often each status occurs, in order of first appearance: the strip's text alternative. */
export function countStatuses(entries: readonly StripEntry[]): [Status, number][] {
  const counts = new Map<Status, number>()
  for (const { status } of entries) counts.set(asStatus(status), (counts.get(asStatus(status)) ?? 0) + 1)
  return [...counts]
}
