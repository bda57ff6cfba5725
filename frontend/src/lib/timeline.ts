/**
 * The geometry of the timeline: executions as bars, ticks that did not run as hollow marks, future ticks as
 * strokes. Pure.
 *
 * Marks of one row that would lie on top of each other become one mark that says how many it stands for and
 * shows the worst of them, so that a job of every second stays readable over a day.
 */
import { asStatus, isLive, needsAttention, type Status } from './status'

export interface TimelineWindow {
  from: number
  to: number
  width: number
}

export interface PastEntry {
  id: string
  status: string
  scheduled_at: string
  started_at?: string | null
  finished_at?: string | null
}

export interface UnrunEntry {
  tick: number
  kind: string
  reason?: string | null
  count: number
}

export interface TimelineMark {
  key: string
  kind: 'execution' | 'unrun' | 'future'
  status: Status
  x: number
  width: number
  /** Epoch milliseconds of its first and last instant. */
  from: number
  to: number
  count: number
  /** The execution, where it stands for exactly one. */
  id: string | null
  reason: string | null
}

export const TIMELINE = { rowHeight: 26, barHeight: 14, least: 3, gap: 1 } as const

export function xOf(instant: number, { from, to, width }: TimelineWindow): number {
  return ((instant - from) / Math.max(1, to - from)) * width
}

/** The marks of one row from left to right; those outside of the window are left out. */
export function timelineMarks(
  row: { past: readonly PastEntry[]; unrun: readonly UnrunEntry[]; future: readonly string[] },
  window: TimelineWindow,
  now: number,
): TimelineMark[] {
  const marks = [
    ...row.past.map((entry) => executionMark(entry, window, now)),
    ...row.unrun.map((entry) => unrunMark(entry, window)),
    ...row.future.map((at) => futureMark(Date.parse(at), window)),
  ]
    .filter((mark) => mark.to >= window.from && mark.from <= window.to)
    .sort((a, b) => a.x - b.x)
  return merged(marks)
}

function executionMark(entry: PastEntry, window: TimelineWindow, now: number): TimelineMark {
  const from = Date.parse(entry.started_at ?? entry.scheduled_at)
  const ended = entry.finished_at ? Date.parse(entry.finished_at) : isLive(entry.status) ? now : from
  const to = Math.max(from, ended)
  return placed({
    key: entry.id,
    kind: 'execution',
    status: asStatus(entry.status),
    from,
    to,
    count: 1,
    id: entry.id,
    reason: null,
    window,
  })
}

function unrunMark(entry: UnrunEntry, window: TimelineWindow): TimelineMark {
  const at = entry.tick * 1000
  return placed({
    key: `unrun-${entry.tick}`,
    kind: 'unrun',
    status: entry.kind === 'skipped' ? 'skipped' : 'missed',
    from: at,
    to: at,
    count: entry.count,
    id: null,
    reason: entry.reason ?? null,
    window,
  })
}

function futureMark(at: number, window: TimelineWindow): TimelineMark {
  return placed({
    key: `future-${at}`,
    kind: 'future',
    status: 'scheduled',
    from: at,
    to: at,
    count: 1,
    id: null,
    reason: null,
    window,
  })
}

function placed(mark: Omit<TimelineMark, 'x' | 'width'> & { window: TimelineWindow }): TimelineMark {
  const { window, ...rest } = mark
  const x = Math.max(0, xOf(mark.from, window))
  const end = Math.min(window.width, xOf(mark.to, window))
  return { ...rest, x, width: Math.max(TIMELINE.least, end - x) }
}

const SEVERITY: readonly Status[] = [
  'scheduled',
  'skipped',
  'succeeded',
  'claimed',
  'queued',
  'running',
  'killed',
  'timed_out',
  'missed',
  'lost',
  'failed',
]

function worse(a: Status, b: Status): Status {
  return SEVERITY.indexOf(b) > SEVERITY.indexOf(a) ? b : a
}

/** Neighbours of one kind that touch become one; what needs attention is never hidden in a success. */
function merged(marks: readonly TimelineMark[]): TimelineMark[] {
  const found: TimelineMark[] = []
  const open: Partial<Record<TimelineMark['kind'], TimelineMark>> = {}
  for (const mark of marks) {
    const before = open[mark.kind]
    if (before && mark.x < before.x + before.width + TIMELINE.gap && fits(before, mark)) {
      before.width = Math.max(before.width, mark.x + mark.width - before.x)
      before.to = Math.max(before.to, mark.to)
      before.count += mark.count
      before.status = worse(before.status, mark.status)
      before.id = null
      before.reason = before.reason === mark.reason ? before.reason : null
    } else {
      const own = { ...mark }
      open[mark.kind] = own
      found.push(own)
    }
  }
  return found
}

/** A long bar keeps its own identity: only short ones are taken together. */
function fits(before: TimelineMark, mark: TimelineMark): boolean {
  const areShort =
    mark.width <= 2 * TIMELINE.least && (before.count > 1 || before.width <= 2 * TIMELINE.least)
  return areShort && needsAttention(before.status) === needsAttention(mark.status)
}

/** Instants for the axis: round ones, about one each 110 px. */
export function axisInstants({ from, to, width }: TimelineWindow): number[] {
  const wanted = (to - from) / Math.max(1, width / 110)
  const step = STEPS_MS.find((size) => size >= wanted) ?? 86_400_000 * Math.ceil(wanted / 86_400_000)
  const instants: number[] = []
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) instants.push(at)
  return instants
}

const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * 60_000)

/** How many marks of each status a row has: its text alternative. */
export function countMarks(marks: readonly TimelineMark[]): [Status, number][] {
  const counts = new Map<Status, number>()
  for (const { status, count } of marks) counts.set(status, (counts.get(status) ?? 0) + count)
  return [...counts]
}
