import { describe, expect, it } from 'vitest'
import type { Attention } from '@/api/types'
import { groupAttention } from '@/lib/attention'
import { progressOf } from '@/lib/progress'
import {
  confirmationFor,
  isPageChosen,
  MOST_AT_ONCE,
  pageToggled,
  toggled,
  type Chosen,
} from '@/lib/selection'

function item(kind: Attention['kind'], job: string, at: string, count = 1): Attention {
  return { kind, namespace: 'default', job, count, at, execution_id: null, reason: null }
}

describe('groupAttention', () => {
  it('what cannot run at all comes first, then the newest of each kind', () => {
    const groups = groupAttention([
      item('missed', 'c', '2026-03-29T01:00:00Z', 4),
      item('failed', 'a', '2026-03-29T01:00:00Z', 2),
      item('failed', 'b', '2026-03-29T02:00:00Z'),
      item('no_worker', 'd', '2026-03-29T00:00:00Z'),
    ])

    expect(groups.map(({ kind, count, items }) => [kind, count, items.map(({ job }) => job)])).toEqual([
      ['no_worker', 1, ['d']],
      ['failed', 3, ['b', 'a']],
      ['missed', 4, ['c']],
    ])
  })
})

describe('progressOf', () => {
  const START = '2026-03-29T01:00:00Z'
  it.each([
    ['halfway', 60_000, 30_000, 50, false],
    ['a little over is full, not long', 60_000, 70_000, 100, false],
    ['half as long again is long', 60_000, 91_000, 100, true],
    ['of a short one nobody is told within ten seconds', 1_000, 9_000, 100, false],
    ['nothing is known', null, 9_000, null, false],
  ])('%s', (_, usual_ms, elapsed, percent, isLong) => {
    const progress = progressOf({ started_at: START, usual_ms }, Date.parse(START) + elapsed)

    expect(progress).toEqual({ elapsedMs: elapsed, percent, isLong })
  })

  it('a browser whose clock is behind shows zero, not less', () => {
    const progress = progressOf({ started_at: START, usual_ms: 1000 }, Date.parse(START) - 5000)

    expect(progress.elapsedMs).toBe(0)
  })
})

describe('the selection', () => {
  const rows = (...names: string[]) => names.map((name) => ({ namespace: 'default', name }))
  const none: Chosen = new Map()

  it('holds over pages; choosing a page twice takes only that page out', () => {
    const first = pageToggled(none, rows('a', 'b'))
    const both = pageToggled(first, rows('c'))
    const back = pageToggled(both, rows('a', 'b'))

    expect([[...both.keys()], [...back.keys()]]).toEqual([
      ['default/a', 'default/b', 'default/c'],
      ['default/c'],
    ])
  })

  it('a page that is chosen in part is completed, not emptied', () => {
    const part = toggled(none, { namespace: 'default', name: 'a' })
    const whole = pageToggled(part, rows('a', 'b'))

    expect([
      isPageChosen(part, rows('a', 'b')),
      isPageChosen(whole, rows('a', 'b')),
      isPageChosen(none, []),
    ]).toEqual([false, true, false])
  })

  it('never holds more than the server takes at once', () => {
    const many = pageToggled(none, rows(...Array.from({ length: MOST_AT_ONCE + 5 }, (_, n) => `job-${n}`)))

    expect([many.size, toggled(many, { namespace: 'default', name: 'one-more' }).size]).toEqual([1000, 1000])
  })

  it('one job is confirmed by its name, several by their number', () => {
    expect([confirmationFor(rows('a')), confirmationFor(rows('a', 'b'))]).toEqual(['a', '2'])
  })
})
