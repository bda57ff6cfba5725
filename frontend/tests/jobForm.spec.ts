import { describe, expect, it } from 'vitest'
import type { Job } from '@/api/types'
import { differences, MASK } from '@/lib/difference'
import { definitionFrom, definitionOf, type Definition } from '@/lib/jobDefinition'
import { emptyForm, formOf, withoutSecrets } from '@/lib/jobForm'
import { labelsAreReadable, parseLabels } from '@/lib/labels'

const form = (changes: Partial<ReturnType<typeof emptyForm>>) => ({
  ...emptyForm('UTC'),
  name: 'a',
  ...changes,
})

/** A job as the server answers it, with every kind of field that the form edits. */
const STORED = {
  namespace: 'default',
  name: 'a',
  description: '',
  labels: { team: 'data' },
  executor: 'http',
  command: null,
  argv: null,
  script: null,
  request: {
    method: 'POST',
    url: 'https://example.test/x',
    headers: { Accept: 'text/plain', Authorization: { secret: true, value: MASK } },
    body: '{}',
    expected_status: [200, 204],
  },
  options: {},
  shell: '/bin/bash',
  interpreter: 'python3',
  env: { A: '1', TOKEN: { secret: true, value: MASK } },
  cwd: null,
  user: null,
  umask: null,
  stdin: null,
  success_exit_codes: [0, 3],
  limits: { nofile: null, nproc: null, core_bytes: 0, memory_mb: 512, nice: 5 },
  max_output_bytes: 10_485_760,
  kill_leftovers: true,
  schedule: '0 3 * * *',
  timezone: 'Europe/Berlin',
  enabled: true,
  paused_until: '2026-05-01T00:00:00Z',
  starts_at: '2026-03-29T06:00:07Z',
  ends_at: null,
  jitter_s: 9,
  overlap: 'skip',
  catch_up: 'last',
  catch_up_window_s: 120,
  start_deadline_s: 30,
  timeout_s: 60,
  kill_grace_s: 10,
  on_lease_loss: null,
  retry: { max_attempts: 3, delay_s: 10, backoff: 3, max_delay_s: 600, on: ['failed', 'lost'] },
  target: { workers: ['w-1'], labels: { gpu: 'a100' } },
  history_days: 14,
  history_runs: null,
  a_newer_field: { kept: true },
}

describe('definitionFrom', () => {
  it('opening a job and saving it unchanged changes nothing, not even fields this page does not know', () => {
    const job = { ...STORED, uid: 'j1', generation: 4, revision: 9, state: {} } as unknown as Job
    const before = definitionOf(job)

    const saved = definitionFrom(formOf(job), before as Definition)

    expect(differences(before, saved)).toEqual([])
    expect(saved).toEqual(STORED)
  })

  it('an empty schedule means only when asked for', () => {
    expect(definitionFrom(form({ schedule: '  ' }), null).schedule).toBeNull()
  })

  it.each([
    ['shell', { command: 'ls' }, [null, null, null]],
    ['exec', { argv: 'ls\n-l\n' }, [null, ['ls', '-l'], null]],
    ['python', { script: 'print(1)' }, [null, null, 'print(1)']],
  ] as const)('%s leaves nothing of the executor before it', (executor, fields, expected) => {
    const before = { name: 'a', executor: 'shell', command: 'old' }

    const saved = definitionFrom(form({ executor, ...fields }), before)

    expect([saved.command === 'old' ? 'old' : null, saved.argv, saved.script]).toEqual(expected)
  })

  it('of a plug-in it edits the options and leaves all else alone', () => {
    const before = { name: 'a', executor: 'greeter', command: 'hi', options: { name: 'ann' } }
    const options = [{ name: 'name', value: 'bob', secret: false }]

    const saved = definitionFrom(form({ executor: 'greeter', options }), before)

    expect([saved.command, saved.options]).toEqual(['hi', { name: 'bob' }])
  })

  it('empty number fields are defaults, rows without a name are dropped', () => {
    const env = [
      { name: ' A ', value: '1', secret: false },
      { name: '', value: 'x', secret: false },
      { name: 'KEY', value: 's', secret: true },
    ]
    const saved = definitionFrom(form({ timeout_s: '', history_days: '', env }), null)

    expect([saved.timeout_s, saved.history_days, saved.env]).toEqual([
      0,
      null,
      { A: '1', KEY: { secret: true, value: 's' } },
    ])
  })

  it('start and end are typed in the zone of the job', () => {
    const saved = definitionFrom(form({ timezone: 'Asia/Tokyo', starts_at: '2026-03-29T09:00' }), null)

    expect([saved.starts_at, saved.ends_at]).toEqual(['2026-03-29T00:00:00Z', null])
  })
})

it('a copy asks for the secrets again', () => {
  const job = STORED as unknown as Job

  const copied = withoutSecrets(formOf(job))

  expect([copied.env.map(({ value }) => value), copied.headers.map(({ value }) => value)]).toEqual([
    ['1', ''],
    ['text/plain', ''],
  ])
})

it('reads labels, and refuses what is none', () => {
  const read = [parseLabels('a=1, b = x=y\nc='), labelsAreReadable('a=1, oops'), labelsAreReadable('')]

  expect(read).toEqual([{ a: '1', b: 'x=y', c: '' }, false, true])
})

describe('differences', () => {
  it.each([
    ['one value', { a: 1, b: 2 }, { a: 1, b: 3 }, [{ field: 'b', theirs: '2', mine: '3' }]],
    ['inside a map', { env: { A: '1' } }, { env: { A: '2' } }, [{ field: 'env.A', theirs: '1', mine: '2' }]],
    ['something new', {}, { cwd: '/tmp' }, [{ field: 'cwd', theirs: '', mine: '/tmp' }]],
    ['null and absent are the same', { cwd: null }, {}, []],
    [
      'a secret is never shown',
      { env: { K: { secret: true, value: MASK } } },
      { env: { K: { secret: true, value: 'hunter2' } } },
      [{ field: 'env.K', theirs: '••••••••', mine: '•••••••• *' }],
    ],
  ])('%s', (_, theirs, mine, expected) => {
    const found = differences(theirs, mine)

    expect(found).toEqual(expected)
  })
})
