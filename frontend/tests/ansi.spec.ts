import { expect, it } from 'vitest'
import { ansiPieces, withoutAnsi } from '@/lib/ansi'
import { markMatches } from '@/lib/marks'

it.each([
  ['plain text', 'a <b> & c', [{ text: 'a <b> & c', classes: [] }]],
  [
    'a named colour',
    '\x1b[31mred\x1b[0m rest',
    [
      { text: 'red', classes: ['ansi-red-fg'] },
      { text: ' rest', classes: [] },
    ],
  ],
  ['bold on a background', '\x1b[1;44mx', [{ text: 'x', classes: ['ansi-bold', 'ansi-blue-bg'] }]],
  ['a true colour', '\x1b[38;2;1;2;3mx', [{ text: 'x', classes: [], color: 'rgb(1 2 3)' }]],
  [
    'a link keeps its text only',
    '\x1b]8;;http://x.test\x07here\x1b]8;;\x07',
    [{ text: 'here', classes: [] }],
  ],
  [
    'markup inside colour stays text',
    '\x1b[32m<img src=x>',
    [{ text: '<img src=x>', classes: ['ansi-green-fg'] }],
  ],
])('%s', (_, line, expected) => {
  const pieces = ansiPieces(line)

  expect(pieces).toEqual(expected)
})

it('plain text has no escape sequence left', () => {
  const text = withoutAnsi('\x1b[2K\x1b[1mdone\x1b[0m 100%')

  expect(text).toBe('done 100%')
})

it('marks every occurrence, whatever its case', () => {
  const parts = markMatches('Error: no error', 'error')

  expect(parts).toEqual([
    { text: 'Error', isMatch: true },
    { text: ': no ', isMatch: false },
    { text: 'error', isMatch: true },
  ])
})
