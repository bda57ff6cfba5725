import { describe, expect, it } from 'vitest'
import { axisInstants, countMarks, timelineMarks, type PastEntry } from '@/lib/timeline'

const START = Date.parse('2026-03-01T00:00:00Z')
const HOUR = 3_600_000
const window = { from: START, to: START + HOUR, width: 600 }

function ran(minute: number, seconds: number, status = 'succeeded'): PastEntry {
  const at = START + minute * 60_000
  return {
    id: `${status}-${minute}`,
    status,
    scheduled_at: new Date(at).toISOString(),
    started_at: new Date(at).toISOString(),
    finished_at: new Date(at + seconds * 1000).toISOString(),
  }
}

const nothing = { past: [], unrun: [], future: [] }

describe('timelineMarks', () => {
  it('places executions by start and end, unrun and future ticks at their instant', () => {
    const marks = timelineMarks(
      {
        past: [ran(10, 600)],
        unrun: [{ tick: START / 1000 + 1800, kind: 'missed', reason: 'downtime', count: 3 }],
        future: [new Date(START + 45 * 60_000).toISOString()],
      },
      window,
      START + 40 * 60_000,
    )

    expect(marks.map(({ kind, status, x, width, count }) => [kind, status, x, width, count])).toEqual([
      ['execution', 'succeeded', 100, 100, 1],
      ['unrun', 'missed', 300, 3, 3],
      ['future', 'scheduled', 450, 3, 1],
    ])
  })

  it('what runs reaches up to now', () => {
    const running = { ...ran(0, 0, 'running'), finished_at: null }

    const [mark] = timelineMarks({ ...nothing, past: [running] }, window, START + 30 * 60_000)

    expect([mark?.x, mark?.width]).toEqual([0, 300])
  })

  it('what began before the window is cut at its edge, what ended before it is left out', () => {
    const marks = timelineMarks({ ...nothing, past: [ran(-5, 600), ran(-20, 60)] }, window, START + HOUR)

    expect(marks.map(({ x, width }) => [x, width])).toEqual([[0, 50]])
  })

  it('marks on top of each other become one that counts them', () => {
    const past = Array.from({ length: 120 }, (_, second) => ran(second / 60, 0))

    const marks = timelineMarks({ ...nothing, past }, window, START + HOUR)

    expect(marks.map(({ count, id }) => [count, id])).toEqual([[120, null]])
  })

  it('a failure among many successes keeps a mark of its own', () => {
    const past = Array.from({ length: 60 }, (_, second) =>
      ran(second / 60, 0, second === 30 ? 'failed' : 'succeeded'),
    )

    const marks = timelineMarks({ ...nothing, past }, window, START + HOUR)

    expect(marks.map(({ status, count }) => [status, count])).toEqual([
      ['succeeded', 30],
      ['failed', 1],
      ['succeeded', 29],
    ])
  })

  it('a long bar swallows no neighbour', () => {
    const marks = timelineMarks(
      { ...nothing, past: [ran(0, 1200), ran(5, 1), ran(10, 1)] },
      window,
      START + HOUR,
    )

    expect(marks.map(({ id }) => id)).toEqual(['succeeded-0', 'succeeded-5', 'succeeded-10'])
  })
})

it('the axis has round instants, not too many', () => {
  const minutes = axisInstants({ from: START + 123_000, to: START + HOUR, width: 600 }).map(
    (at) => (at - START) / 60_000,
  )

  expect(minutes).toEqual([15, 30, 45, 60])
})

it('a row in words counts by status', () => {
  const past = [ran(0, 1), ran(20, 1, 'failed'), ran(40, 1)]
  const marks = timelineMarks({ ...nothing, past }, window, START + HOUR)

  expect(countMarks(marks)).toEqual([
    ['succeeded', 2],
    ['failed', 1],
  ])
})
