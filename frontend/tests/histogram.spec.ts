import { describe, expect, it } from 'vitest'
import { allBuckets, brushedSpan, histogramBars } from '@/lib/histogram'

const size = { width: 100, height: 50 }
const MINUTE = 60_000
const START = Date.parse('2026-03-01T00:00:00Z')

function buckets(...counts: Record<string, number>[]) {
  return counts.map((each, position) => ({
    at: new Date(START + position * MINUTE).toISOString(),
    counts: each,
  }))
}

describe('histogramBars', () => {
  it('the highest bar fills the chart, failures stand on top of successes', () => {
    const [low, high] = histogramBars(buckets({ succeeded: 2 }, { failed: 1, succeeded: 3 }), size)

    expect([low?.parts, high?.parts]).toEqual([
      [{ status: 'succeeded', count: 2, y: 25, height: 25 }],
      [
        { status: 'succeeded', count: 3, y: 12.5, height: 37.5 },
        { status: 'failed', count: 1, y: 0, height: 12.5 },
      ],
    ])
  })

  it('one failure among a thousand is still seen', () => {
    const [bar] = histogramBars(buckets({ succeeded: 1000, failed: 1 }), size)

    expect(bar?.parts.at(-1)).toMatchObject({ status: 'failed', height: 2 })
  })

  it('nothing at all is no bar, and divides by nothing', () => {
    expect(histogramBars(buckets({}, { succeeded: 0 }), size).map(({ parts }) => parts)).toEqual([[], []])
  })
})

it('buckets in which nothing ran are there all the same', () => {
  const [, second] = buckets({}, { failed: 1 })
  const window = { from: START, to: START + 3.5 * MINUTE, bucketMs: MINUTE }

  const all = allBuckets(second ? [second] : [], window)

  expect(all.map(({ at, counts }) => [(Date.parse(at) - START) / MINUTE, counts])).toEqual([
    [0, {}],
    [1, { failed: 1 }],
    [2, {}],
    [3, {}],
  ])
})

describe('brushedSpan', () => {
  const bars = histogramBars(buckets({}, {}, {}, {}), size)

  it.each([
    ['to the right', 30, 60, [1, 3]],
    ['to the left', 60, 30, [1, 3]],
    ['a click chooses its bucket', 80, 80, [3, 4]],
  ])('%s', (_, from, to, expected) => {
    const span = brushedSpan(from, to, bars, MINUTE)

    expect(span && [(span.from - START) / MINUTE, (span.to - START) / MINUTE]).toEqual(expected)
  })

  it('nothing where there is nothing', () => {
    expect(brushedSpan(0, 10, [], MINUTE)).toBeNull()
  })
})
