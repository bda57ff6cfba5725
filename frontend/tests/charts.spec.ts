import { describe, expect, it } from 'vitest'
import { CHART, dotOutline, durationChart } from '@/lib/durationChart'
import { heatCells, heatMonths, heatSize } from '@/lib/heatMap'
import { walkTo } from '@/lib/roving'
import { EXECUTION_STATUSES } from '@/lib/status'
import { barOutline, countStatuses, emptySlots, STRIP, STRIP_WIDTH, stripBars } from '@/lib/strip'
import { hourColumns, HOURS, percentText, sumOfDay } from '@/lib/successStrip'

describe('the strip', () => {
  const entry = (id: string, status: string, duration_ms: number | null) => ({
    id,
    status,
    started_at: null,
    duration_ms,
  })

  it('the longest execution is the highest bar, a running one is full', () => {
    const bars = stripBars([
      entry('1', 'succeeded', 100),
      entry('2', 'failed', 0),
      entry('3', 'running', null),
    ])

    expect(bars.map((bar) => bar.height)).toEqual([STRIP.height, STRIP.least, STRIP.height])
  })

  it('the newest stands at the right edge, and only the last thirty are shown', () => {
    const few = stripBars([entry('1', 'succeeded', 1)])
    const many = stripBars(Array.from({ length: 40 }, (_, n) => entry(String(n), 'succeeded', 1)))

    expect([few[0]?.x, emptySlots(1).length, many.length, many[0]?.id, many.at(-1)?.x]).toEqual([
      STRIP_WIDTH - STRIP.barWidth,
      29,
      30,
      '10',
      STRIP_WIDTH - STRIP.barWidth,
    ])
  })

  it('every way an execution can end has an outline of its own', () => {
    const ended = EXECUTION_STATUSES.filter((status) => status !== 'running')
    const outlines = new Set(ended.map((status) => barOutline(status, 0, 20)))

    expect(outlines.size).toBe(ended.length)
  })

  it('counts statuses in the order they appear', () => {
    const counts = countStatuses([{ status: 'failed' }, { status: 'succeeded' }, { status: 'failed' }])

    expect(counts).toEqual([
      ['failed', 2],
      ['succeeded', 1],
    ])
  })
})

describe('walkTo', () => {
  it.each([
    ['right in a line', 'ArrowRight', 2, { count: 5 }, 3],
    ['right at the end', 'ArrowRight', 4, { count: 5 }, 4],
    ['down in a line', 'ArrowDown', 2, { count: 5 }, null],
    ['right in a grid is one column', 'ArrowRight', 2, { count: 90, columnLength: 7 }, 9],
    ['down in a grid is one day', 'ArrowDown', 2, { count: 90, columnLength: 7 }, 3],
    ['home', 'Home', 4, { count: 5 }, 0],
    ['another key', 'a', 4, { count: 5 }, null],
    ['nothing to walk through', 'End', 0, { count: 0 }, null],
  ])('%s', (_, key, index, walk, expected) => {
    const to = walkTo(key, index, walk)

    expect(to).toBe(expected)
  })
})

describe('the heat-map', () => {
  const cells = heatCells(
    [
      { day: '2026-03-29', total: 8, by_status: { succeeded: 8 } },
      { day: '2026-03-28', total: 2, by_status: { failed: 1, succeeded: 1 } },
      { day: '2026-03-27', total: 4, by_status: { failed: 1, succeeded: 3 } },
    ],
    '2026-03-29',
  )

  it('has ninety days that end today, Sunday in the last row', () => {
    expect([cells.length, cells[0]?.day, cells.at(-1)?.day, cells.at(-1)?.row]).toEqual([
      90,
      '2025-12-30',
      '2026-03-29',
      6,
    ])
  })

  it('a day is well, partly or badly, or has none', () => {
    const fates = cells.slice(-4).map(({ fate, strength }) => [fate, strength])

    expect(fates).toEqual([
      ['none', 0],
      ['partly', 2],
      ['badly', 1],
      ['well', 4],
    ])
  })

  it('no two days share a place, and all lie inside', () => {
    const places = new Set(cells.map(({ x, y }) => `${x} ${y}`))
    const { width, height } = heatSize(cells)

    expect([places.size, cells.every(({ x, y }) => x < width && y < height)]).toEqual([90, true])
  })

  it('names the months where they begin', () => {
    expect(heatMonths(cells).map(({ day }) => day)).toEqual(['2026-01-01', '2026-02-01', '2026-03-01'])
  })
})

describe('the day in hours', () => {
  const columns = hourColumns([
    { at: '2026-03-29T00:00:00Z', counts: { succeeded: 9_999, failed: 1 }, missed: 0 },
    { at: '2026-03-29T01:00:00Z', counts: {}, missed: 2 },
    { at: '2026-03-29T02:00:00Z', counts: {}, missed: 0 },
  ])

  it('one failure among thousands stays visible', () => {
    expect([columns[0]?.unwellHeight, (columns[0]?.wellHeight ?? 0) > 40]).toEqual([3, true])
  })

  it('never higher than the strip, nothing where nothing happened', () => {
    const heights = columns.map(({ wellHeight, unwellHeight }) => wellHeight + unwellHeight)

    expect([Math.max(...heights) <= HOURS.height, heights[2]]).toEqual([true, 0])
  })

  it('missed ticks count against the rate, which is rounded down', () => {
    const sum = sumOfDay(columns)

    expect([sum.unwell, sum.missed, percentText(sum.rate ?? 0), sumOfDay([]).rate]).toEqual([
      3,
      2,
      '99.9 %',
      null,
    ])
  })
})

describe('the chart of durations', () => {
  const execution = (id: string, duration_ms: number | null) => ({
    id,
    status: 'succeeded',
    started_at: null,
    duration_ms,
  })

  it('oldest left, longest at the top, what still runs is left out', () => {
    const chart = durationChart([execution('new', null), execution('b', 100), execution('a', 0)], {
      p50: 50,
      p95: 100,
    })

    expect(chart.dots.map(({ id, x, y }) => [id, x, y])).toEqual([
      ['a', CHART.pad, CHART.height - CHART.pad],
      ['b', CHART.width - CHART.pad, CHART.pad],
    ])
    expect(chart.lines.map(({ name, y }) => [name, y])).toEqual([
      ['p50', CHART.height / 2],
      ['p95', CHART.pad],
    ])
  })

  it('a line without a value is not drawn', () => {
    expect(durationChart([], { p50: null, p95: null }).lines).toEqual([])
  })

  it('every way to end has a shape of its own', () => {
    const ended = EXECUTION_STATUSES.filter((status) => status !== 'running')
    const shapes = new Set(ended.map((status) => dotOutline({ status, x: 10, y: 10 })))

    expect(shapes.size).toBe(ended.length)
  })
})
