import { describe, expect, it } from 'vitest'
import { asSpan, movedBy, windowAround } from '@/lib/timeWindow'

const MINUTE = 60_000
const NOW = Date.parse('2026-03-01T12:00:03Z')

describe('windowAround', () => {
  it('follows now, with a third of it ahead', () => {
    const { from, to } = windowAround('3h', null, NOW)

    expect([Math.round((to - NOW) / MINUTE), (to - from) / MINUTE]).toEqual([60, 180])
  })

  it('stays the same between two steps, so that nobody asks every second', () => {
    expect(windowAround('3h', null, NOW)).toEqual(windowAround('3h', null, NOW + 4_000))
  })

  it('stands still around a chosen middle', () => {
    expect(windowAround('1h', NOW, NOW + 99 * MINUTE)).toEqual({
      from: NOW - 30 * MINUTE,
      to: NOW + 30 * MINUTE,
    })
  })
})

it('a move goes half a window', () => {
  expect(movedBy(-1, { from: 0, to: 60 * MINUTE })).toBe(0)
})

it.each([
  ['24h', '24h'],
  ['9h', '3h'],
  [undefined, '3h'],
  ['toString', '3h'],
])('the span %s in an address means %s', (text, expected) => {
  expect(asSpan(text)).toBe(expected)
})
