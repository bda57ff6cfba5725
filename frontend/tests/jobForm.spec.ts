import { describe, expect, it } from 'vitest'
import { definitionFrom, differences, emptyForm, labelsAreReadable, parseLabels } from '@/lib/jobForm'

describe('definitionFrom', () => {
  it('carries over what the form does not know', () => {
    const before = { name: 'a', executor: 'shell', env: { A: '1' }, retry: { backoff: 3 }, jitter_s: 9 }

    const saved = definitionFrom({ ...emptyForm('UTC'), name: ' a ', command: 'true' }, before)

    expect([saved.name, saved.env, saved.jitter_s, saved.retry?.backoff]).toEqual(['a', { A: '1' }, 9, 3])
  })

  it('an empty schedule means only when asked for', () => {
    const saved = definitionFrom({ ...emptyForm('UTC'), name: 'a', schedule: '  ' }, null)

    expect(saved.schedule).toBeNull()
  })

  it('leaves the command of another executor alone', () => {
    const saved = definitionFrom(emptyForm('UTC'), { name: 'a', executor: 'exec', argv: ['ls'] })

    expect([saved.argv, saved.command]).toEqual([['ls'], undefined])
  })
})

it('reads labels, and refuses what is none', () => {
  const read = [parseLabels('a=1, b = x=y\nc='), labelsAreReadable('a=1, oops'), labelsAreReadable('')]

  expect(read).toEqual([{ a: '1', b: 'x=y', c: '' }, false, true])
})

it('compares field by field', () => {
  const found = differences({ name: 'a', timeout_s: 1, labels: {} }, { name: 'a', timeout_s: 2, labels: {} })

  expect(found).toEqual([{ field: 'timeout_s', theirs: '1', mine: '2' }])
})
