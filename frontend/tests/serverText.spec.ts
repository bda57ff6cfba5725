import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { server } from '@/i18n/en/server'
import { recogniser } from '@/lib/serverText'

const SOURCES = [
  'master/services/worker_setup.py',
  'common/domain/eligibility.py',
  'master/domain/explain.py',
]

describe('sentences of the server', () => {
  const recognise = recogniser(server.server)

  it.each([
    ['is offline', 'offline', {}],
    ["has no label 'gpu'", 'noLabel', { label: 'gpu' }],
    ['has label zone=a, the job wants b', 'otherLabel', { label: 'zone=a', wanted: 'b' }],
    [
      'It ran on w-1 and failed (exit_code).',
      'ranReason',
      { worker: 'w-1', how: 'failed', reason: 'exit_code' },
    ],
    ['It ran on w-1 and succeeded.', 'ran', { worker: 'w-1', how: 'succeeded' }],
    ['one of at least 7 ticks in a row with the same fate', 'oneOf', { count: 'at least 7' }],
  ])('%s', (text, key, values) => {
    expect(recognise(text)).toEqual({ key, values })
  })

  it('another one is left as it is', () => {
    expect(recognise('bash: warehouse: command not found')).toBe(null)
  })

  it('are still what the server says', () => {
    // Literals that stand one below the other are one text.
    const source = SOURCES.map((path) => readFileSync(`../${path}`, 'utf8'))
      .join('\n')
      .replace(/"\s*\n\s*f?"/g, '')
    const literals = Object.values(server.server).flatMap((template) => template.split(/'?\{\w+\}'?/))
    // Words such as the status of a worker are values of their own.
    const said = ['offline', 'draining']
    const gone = literals.filter(
      (literal) =>
        literal.trim().length > 3 &&
        !said.some((word) => literal.endsWith(word)) &&
        !source.includes(literal),
    )

    expect(gone).toEqual([])
  })
})
