import { describe, expect, it } from 'vitest'
import { toYaml } from '@/lib/yaml'
import { instantOf, localText } from '@/lib/zoned'

describe('instantOf', () => {
  it.each([
    ['a winter day in Berlin', '2026-01-15T08:00', 'Europe/Berlin', '2026-01-15T07:00:00Z'],
    ['a summer day in Berlin', '2026-07-15T08:00', 'Europe/Berlin', '2026-07-15T06:00:00Z'],
    ['skipped in spring: behind the gap', '2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30:00Z'],
    ['twice in autumn: the first', '2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00Z'],
    ['half an hour off', '2026-01-15T08:00', 'Asia/Kolkata', '2026-01-15T02:30:00Z'],
    ['no time at all', 'soon', 'UTC', null],
  ])('%s', (_, local, zone, expected) => {
    const instant = instantOf(local, zone)

    expect(instant).toBe(expected)
  })

  it('is undone by localText', () => {
    const local = localText('2026-07-15T06:00:00Z', 'Europe/Berlin')

    expect([local, instantOf(local, 'Europe/Berlin')]).toEqual(['2026-07-15T08:00', '2026-07-15T06:00:00Z'])
  })
})

describe('toYaml', () => {
  it.each([
    [
      'words stay plain, what could be misread is quoted',
      { a: 'echo hi', b: 'yes', c: '0 3 * * *', d: '' },
      'a: echo hi\nb: "yes"\nc: "0 3 * * *"\nd: ""\n',
    ],
    ['numbers, booleans, null', { a: 1.5, b: false, c: null }, 'a: 1.5\nb: false\nc: null\n'],
    [
      'maps and lists',
      { env: { A: '1' }, argv: ['ls', '-l'], on: [], labels: {} },
      'env:\n  A: "1"\nargv:\n  - ls\n  - "-l"\n"on": []\nlabels: {}\n',
    ],
    ['a script is a block', { script: 'import os\n\nprint(1)\n' }, 'script: |\n  import os\n\n  print(1)\n'],
    ['without a last line end', { script: 'a\nb' }, 'script: |-\n  a\n  b\n'],
    [
      'what a block would change is quoted',
      { a: ' a\nb', b: 'a\r\nb', c: 'a\n\n' },
      'a: " a\\nb"\nb: "a\\r\\nb"\nc: "a\\n\\n"\n',
    ],
  ])('%s', (_, value, expected) => {
    const yaml = toYaml(value)

    expect(yaml).toBe(expected)
  })
})
