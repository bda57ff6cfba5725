import { describe, expect, it } from 'vitest'
import { matchingRows, OutputBuffer, plainText, type OutputLine, type OutputRow } from '@/lib/outputBuffer'

function chunk(seq: number, ...texts: string[]): OutputLine[] {
  return texts.map((text) => ({ seq, n: null, ms: 0, stream: 'stdout', text }))
}

function shown(rows: OutputRow[]): string[] {
  return rows.map((row) =>
    row.kind === 'gap' ? `gap ${row.gap.from}-${row.gap.to}` : `${row.number ?? ''} ${row.line.text}`,
  )
}

describe('OutputBuffer', () => {
  it('adds no chunk twice, however often it arrives', () => {
    const buffer = new OutputBuffer()

    const added = [
      buffer.add([...chunk(0, 'a', 'b'), ...chunk(1, 'c')]),
      buffer.add([...chunk(1, 'c'), ...chunk(2, 'd')]),
    ]

    expect([added, shown(buffer.rows({ stream: 'all' }))]).toEqual([
      [3, 1],
      ['1 a', '2 b', '3 c', '4 d'],
    ])
  })

  it('shows what is missing, and closes the gap when it arrives', () => {
    const buffer = new OutputBuffer()
    buffer.add(chunk(4, 'late'))
    buffer.add(chunk(0, 'first'))
    const before = shown(buffer.rows({ stream: 'all' }))

    buffer.add([...chunk(1, 'b'), ...chunk(2, 'c'), ...chunk(3, 'd')])

    expect([before, shown(buffer.rows({ stream: 'all' }))]).toEqual([
      ['1 first', 'gap 1-3', ' late'],
      ['1 first', '2 b', '3 c', '4 d', '5 late'],
    ])
  })

  it('opened at the end, it numbers the last lines from the total', () => {
    const buffer = new OutputBuffer()
    buffer.add([...chunk(9, 'y', 'z'), { seq: 9, ms: 0, stream: 'system', text: 'killed' }])

    const rows = shown(buffer.rows({ stream: 'all' }, 500))

    expect(rows).toEqual(['gap 0-8', '499 y', '500 z', ' killed'])
  })

  it('one stream keeps the numbers of its lines, and the remarks of the worker', () => {
    const buffer = new OutputBuffer()
    buffer.add([
      { seq: 0, ms: 0, stream: 'stdout', text: 'out' },
      { seq: 0, ms: 1, stream: 'stderr', text: 'err' },
      { seq: 0, ms: 2, stream: 'system', text: 'TERM sent' },
    ])

    const rows = shown(buffer.rows({ stream: 'stderr' }))

    expect(rows).toEqual(['2 err', ' TERM sent'])
  })

  it('holds 200,000 lines and lists them within two seconds', () => {
    const buffer = new OutputBuffer()
    for (let seq = 0; seq < 400; seq += 1) {
      buffer.add(chunk(seq, ...Array.from({ length: 500 }, (_, n) => `line ${n}`)))
    }
    const began = performance.now()

    const rows = buffer.rows({ stream: 'all' })

    expect([rows.length, performance.now() - began < 2000]).toEqual([200_000, true])
  })
})

it('search ignores case and escape sequences', () => {
  const buffer = new OutputBuffer()
  buffer.add(chunk(0, '\x1b[31mERR\x1b[0mOR one', 'fine', 'error two'))
  const rows = buffer.rows({ stream: 'all' })

  const found = [matchingRows(rows, 'error'), matchingRows(rows, ''), plainText(rows)]

  expect(found).toEqual([[0, 2], [], 'ERROR one\nfine\nerror two'])
})
