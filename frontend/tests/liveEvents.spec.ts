import { describe, expect, it } from 'vitest'
import { keysTouchedBy, parseLiveEvent, TouchedKeys } from '@/lib/liveEvents'

describe('parseLiveEvent', () => {
  it.each([
    [
      'a job',
      'job',
      '{"namespace":"ops","name":"backup","uid":"u"}',
      { kind: 'job', namespace: 'ops', name: 'backup' },
    ],
    ['a worker', 'worker', '{"id":"w1","status":"online"}', { kind: 'worker', id: 'w1' }],
    ['resync, whatever stands in it', 'resync', '', { kind: 'resync' }],
    ['a later event', 'weather', '{}', null],
    ['no JSON', 'job', '{', null],
    ['no object', 'job', '7', null],
  ])('%s', (_, name, text, expected) => {
    expect(parseLiveEvent(name, text)).toEqual(expected)
  })
})

describe('keysTouchedBy', () => {
  const touched = (name: string, body: object) =>
    keysTouchedBy(parseLiveEvent(name, JSON.stringify(body)) ?? { kind: 'resync' })

  it('an execution makes the lists, itself and its job old', () => {
    expect(touched('execution', { id: 'e1', namespace: 'ops', job: 'backup' })).toEqual(
      expect.arrayContaining([
        ['executions'],
        ['execution', 'e1'],
        ['jobs'],
        ['job', { namespace: 'ops', name: 'backup' }],
        ['overview'],
      ]),
    )
  })

  it('a job does not touch executions', () => {
    expect(touched('job', { namespace: 'ops', name: 'backup' })).not.toContainEqual(['executions'])
  })
})

describe('TouchedKeys', () => {
  const job = (name: string) => ({ kind: 'job', namespace: 'ops', name }) as const

  it('holds each key once, and forgets what was taken', () => {
    const keys = new TouchedKeys()
    for (const name of ['a', 'b', 'a']) keys.add(job(name))
    const taken = keys.take()

    expect([
      taken.filter(([list]) => list === 'jobs').length,
      taken.filter(([one]) => one === 'job').length,
      keys.isEmpty,
    ]).toEqual([1, 2, true])
  })

  it('resync stands for everything, also for what comes after it', () => {
    const keys = new TouchedKeys()
    keys.add({ kind: 'resync' })
    keys.add(job('a'))

    expect(keys.take()).toEqual([[]])
  })
})
