import { describe, expect, it } from 'vitest'
import { linePath, spreadOf, type LoadPoint } from '@/lib/loadChart'

const START = Date.parse('2026-03-01T00:00:00Z')
const MINUTE = 60_000
const window = { from: START, to: START + 10 * MINUTE }
const box = { width: 100, height: 50, most: 100 }

function points(...values: [number, number | null][]): LoadPoint[] {
  return values.map(([minute, value]) => ({ at: new Date(START + minute * MINUTE).toISOString(), value }))
}

describe('linePath', () => {
  it('goes from point to point, high values up', () => {
    expect(linePath(points([0, 0], [5, 50], [10, 100]), window, box)).toBe('M0.0 50.0h0L50.0 25.0L100.0 0.0')
  })

  it('breaks where the worker was away', () => {
    expect(linePath(points([0, 0], [1, 0], [2, 0], [9, 0]), window, box)).toBe(
      'M0.0 50.0h0L10.0 50.0L20.0 50.0M90.0 50.0h0',
    )
  })

  it('a value beyond the scale stays in the box, one that is unknown is left out', () => {
    expect(linePath(points([0, 250], [1, null]), window, box)).toBe('M0.0 0.0h0')
  })
})

it('the spread says least, mean and most; nothing where nothing was reported', () => {
  expect([spreadOf(points([0, 10], [1, 30], [2, null])), spreadOf(points([0, null]))]).toEqual([
    { least: 10, mean: 20, most: 30 },
    null,
  ])
})
