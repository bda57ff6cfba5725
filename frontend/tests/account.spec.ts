import { describe, expect, it } from 'vitest'
import { changesBetween } from '@/lib/changes'
import { clockAheadMs } from '@/lib/clock'
import { cronctl, executionListCommand, jobListCommand, ledgerCommand, shellWord } from '@/lib/cronctl'
import { fuzzyFilter, fuzzyScore } from '@/lib/fuzzy'
import { isAcceptable, passwordRules } from '@/lib/passwords'
import { namespacesFrom } from '@/lib/roles'
import { sampleJob } from '@/lib/sampleJobs'

describe('passwordRules', () => {
  it.each([
    ['nothing typed', '', ['long', 'short', 'name']],
    ['eleven letters', 'a'.repeat(11), ['long']],
    ['twelve letters', 'abcdefghijkl', []],
    ['letters of four bytes count once', '🙂'.repeat(12), []],
    ['too long', 'ab'.repeat(65), ['short']],
    ['the name in it', 'my-Margit-secret', ['name']],
  ])('%s', (_, password, broken) => {
    const found = passwordRules(password, 'margit', 12).filter((rule) => !rule.holds)

    expect(found.map((rule) => rule.id)).toEqual(broken)
    expect(isAcceptable(password, 'margit', 12)).toBe(broken.length === 0)
  })
})

describe('clockAheadMs', () => {
  const server = '2026-03-01T09:00:00Z'
  const noon = Date.parse(server)
  it.each([
    ['the same time', noon, noon, 0],
    ['a slow answer is no difference', noon - 400, noon + 400, 0],
    ['ahead', noon + 5_000, noon + 5_000, 5_000],
    ['behind', noon - 61_000, noon - 59_000, -60_000],
  ])('%s', (_, askedAt, answeredAt, expected) => {
    expect(clockAheadMs(server, askedAt, answeredAt)).toBe(expected)
  })
})

describe('namespacesFrom', () => {
  it.each([
    ['', null],
    [' , ', null],
    ['ops', ['ops']],
    ['ops, web ops', ['ops', 'web']],
  ])('%j', (text, expected) => {
    expect(namespacesFrom(text)).toEqual(expected)
  })
})

describe('changesBetween', () => {
  it.each([
    ['equal', { a: 1, b: [1] }, { b: [1], a: 1 }, []],
    ['created', null, { a: 1 }, [{ pointer: '/a', before: null, after: '1' }]],
    ['deleted', { a: 'x' }, null, [{ pointer: '/a', before: '"x"', after: null }]],
    ['deep', { a: { 'b/c': 1 } }, { a: { 'b/c': 2 } }, [{ pointer: '/a/b~1c', before: '1', after: '2' }]],
    [
      'a list of words is one value',
      { a: ['x'] },
      { a: ['x', 'y'] },
      [{ pointer: '/a', before: '["x"]', after: '["x","y"]' }],
    ],
    ['null is absence', { a: null }, {}, []],
  ])('%s', (_, before, after, expected) => {
    expect(changesBetween(before, after)).toEqual(expected)
  })
})

describe('fuzzy', () => {
  const names = ['backup-database', 'database-vacuum', 'daily report', 'bad-dab']

  it.each([
    ['starts of words', 'bd', 'backup-database'],
    ['the word at the start before the word inside', 'database', 'database-vacuum'],
    ['case does not matter', 'DAILY', 'daily report'],
    ['letters across words', 'dlrp', 'daily report'],
  ])('%s', (_, typed, best) => {
    expect(fuzzyFilter(names, typed, (name) => name)[0]).toBe(best)
  })

  it('letters that are not there do not fit', () => {
    expect(fuzzyScore('backup', 'xz')).toBe(null)
  })

  it('nothing typed keeps all, in order', () => {
    expect(fuzzyFilter(names, ' ', (name) => name)).toEqual(names)
  })
})

describe('cronctl', () => {
  it.each([
    ['plain', 'a-b_c.d/e=1', 'a-b_c.d/e=1'],
    ['a space', 'a b', "'a b'"],
    ['a quote', "it's", "'it'\\''s'"],
    ['nothing', '', "''"],
    ['what a shell would run', '$(rm -rf /)', "'$(rm -rf /)'"],
  ])('quotes %s', (_, text, expected) => {
    expect(shellWord(text)).toBe(expected)
  })

  it.each([
    ['everything', {}, 'cronctl job list'],
    [
      'all filters',
      { q: 'back up', namespace: 'ops', label: 'a=1,b=2', enabled: 'true', status: 'failed' },
      "cronctl job list --namespace ops --label a=1 --label b=2 --enabled --status failed 'back up'",
    ],
    ['a search like an option', { q: '--help' }, 'cronctl job list -- --help'],
    ['disabled ones', { enabled: 'false' }, 'cronctl job list --disabled'],
  ])('lists jobs: %s', (_, state, expected) => {
    expect(jobListCommand(state)).toBe(expected)
  })

  it.each([
    ['everything', {}, 'cronctl execution list'],
    [
      'all filters',
      {
        job: 'back up',
        namespace: 'ops',
        worker: 'w-1',
        status: 'failed,lost',
        cause: 'retry',
        from: '2026-03-29T00:00:00Z',
        to: '2026-03-30T00:00:00Z',
      },
      "cronctl execution list 'back up' --namespace ops --worker w-1 --status failed --status lost " +
        '--cause retry --from 2026-03-29T00:00:00Z --to 2026-03-30T00:00:00Z',
    ],
  ])('lists executions: %s', (_, state, expected) => {
    expect(executionListCommand(state)).toBe(expected)
  })

  it.each([
    ['all of it', undefined, 'cronctl job ledger hello --namespace default'],
    ['one kind', 'missed', 'cronctl job ledger hello --namespace default --kind missed'],
  ])('prints a ledger: %s', (_, kind, expected) => {
    expect(ledgerCommand({ namespace: 'default', name: 'hello' }, kind)).toBe(expected)
  })

  it('leaves out what has no value', () => {
    expect(cronctl('worker', { option: '-o', value: undefined }, { flag: '-f', on: false })).toBe(
      'cronctl worker',
    )
  })
})

it.each([
  ['hello', 'hello-world'],
  ['constructor', undefined],
  [['hello'], undefined],
])('the sample job %j', (wanted, name) => {
  expect(sampleJob(wanted).name).toBe(name)
})
