import { describe, expect, it } from 'vitest'
import { nextPollMs } from '@/lib/polling'
import { asProblem, problemFrom } from '@/lib/problem'
import { safeReturnPath } from '@/lib/routes'
import { scheduleInWords } from '@/lib/schedule'
import { asStatus, exitMeaning, oneOf } from '@/lib/status'

describe('scheduleInWords', () => {
  it.each([
    ['*/10 * * * * *', 'Every 10 seconds', '每隔 10 秒'],
    ['0 3 * * 1-5', 'At 03:00, Monday through Friday', '在03:00, 星期一至星期五'],
    ['@hourly', 'Every hour', '每小时'],
    ['@every 1h30m', 'Every hour 30 minutes', '每 1 小时 30 分钟'],
    ['H 3 * * *', null, null],
    ['not cron', null, null],
    [null, null, null],
  ])('%s', (schedule, english, chinese) => {
    const words = [scheduleInWords(schedule, 'en'), scheduleInWords(schedule, 'zh-CN')]

    expect(words).toEqual([english, chinese])
  })
})

describe('nextPollMs', () => {
  it.each([
    [4_000, 0, 4_000],
    [4_000, 1, 8_000],
    [4_000, 3, 32_000],
    [4_000, 50, 60_000],
    [120_000, 2, 120_000],
  ])('%i ms after %i failures in a row', (interval, failures, expected) => {
    const wait = nextPollMs(interval, failures)

    expect(wait).toBe(expected)
  })
})

describe('safeReturnPath', () => {
  it.each([
    ['/jobs?q=a', '/jobs?q=a'],
    ['//evil.test', '/'],
    ['/\\evil.test', '/'],
    ['https://evil.test', '/'],
    [undefined, '/'],
  ])('%s', (back, expected) => {
    const path = safeReturnPath(back)

    expect(path).toBe(expected)
  })
})

it('an error answer that is no problem document still has a title and a request id', () => {
  const response = new Response(null, {
    status: 502,
    statusText: 'Bad Gateway',
    headers: { 'X-Request-ID': 'r1' },
  })

  const problem = problemFrom('<html>', response)

  expect([problem.status, problem.message, problem.requestId]).toEqual([502, 'HTTP 502 Bad Gateway', 'r1'])
})

it('a failed fetch is "no answer"', () => {
  const problem = asProblem(new TypeError('Failed to fetch'))

  expect([problem.status, problem.code]).toEqual([0, 'no_answer'])
})

it('reads statuses of the address, and explains exit codes', () => {
  const read = [
    oneOf(['a', 'b'], 'b,x'),
    oneOf(['a'], undefined),
    asStatus('newer'),
    exitMeaning(137),
    exitMeaning(1),
  ]

  expect(read).toEqual([['b'], undefined, 'lost', 'killed', null])
})
