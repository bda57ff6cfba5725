import { describe, expect, it } from 'vitest'
import {
  lineOfHash,
  OutputBuffer,
  plainText,
  RowFinder,
  rowOfLine,
  type OutputLine,
  type OutputRow,
} from '@/lib/outputBuffer'

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

  it('a tail may begin inside a chunk: what it left out is missing, until the whole chunk comes', () => {
    const buffer = new OutputBuffer()
    const total = () => shown(buffer.rows({ stream: 'all' }, 6))
    buffer.addTail([...chunk(1, 'e'), ...chunk(2, 'f')])
    const before = [total(), buffer.missing, buffer.size]

    const added = buffer.add([...chunk(0, 'a', 'b'), ...chunk(1, 'c', 'd', 'e'), ...chunk(2, 'f')])

    expect(before).toEqual([['gap 0-1', '5 e', '6 f'], [{ from: 0, to: 1 }], 2])
    expect([total(), buffer.missing, added]).toEqual([['1 a', '2 b', '3 c', '4 d', '5 e', '6 f'], [], 4])
  })

  it('a tail that has the first line has everything', () => {
    const buffer = new OutputBuffer()
    buffer.addTail(chunk(0, 'a', 'b').map((line, index) => ({ ...line, n: index + 1 })))

    expect([buffer.missing, shown(buffer.rows({ stream: 'all' }))]).toEqual([[], ['1 a', '2 b']])
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

  it('following 200,000 lines and searching them costs a fraction of a second', () => {
    const buffer = new OutputBuffer()
    const finder = new RowFinder()
    const texts = Array.from({ length: 500 }, (_, n) => `line ${n}`)
    for (let seq = 0; seq < 400; seq += 1) buffer.add(chunk(seq, ...texts))
    finder.find(buffer.rows({ stream: 'all' }), 'line 499')
    const before = process.cpuUsage()

    let found = 0
    for (let seq = 400; seq < 420; seq += 1) {
      buffer.add(chunk(seq, ...texts))
      found = finder.find(buffer.rows({ stream: 'all' }), 'line 499').length
    }

    // 10 ms a step on a quiet machine; making every row anew took 300.
    const step_ms = process.cpuUsage(before).user / 1000 / 20
    expect([buffer.size, found, step_ms < 100]).toEqual([210_000, 420, true])
  })

  it('a row stays the same object until its number changes', () => {
    const buffer = new OutputBuffer()
    buffer.add(chunk(1, 'b'))
    const [, before] = buffer.rows({ stream: 'all' })
    buffer.add(chunk(2, 'c'))
    const [, unchanged] = buffer.rows({ stream: 'all' })
    buffer.add(chunk(0, 'a'))
    const [, numbered] = buffer.rows({ stream: 'all' })

    expect([before === unchanged, shown(numbered ? [numbered] : [])]).toEqual([true, ['2 b']])
  })

  it('names what is missing', () => {
    const buffer = new OutputBuffer()
    const missing = [buffer.missing]
    buffer.add([...chunk(2, 'c'), ...chunk(5, 'f')])
    missing.push(buffer.missing)
    buffer.add([0, 1, 3, 4].flatMap((seq) => chunk(seq, 'x')))
    missing.push(buffer.missing)

    expect(missing).toEqual([
      [],
      [
        { from: 0, to: 1 },
        { from: 3, to: 4 },
      ],
      [],
    ])
  })
})

it('a link to a line is a number behind #L, and finds its row', () => {
  const buffer = new OutputBuffer()
  buffer.add([...chunk(0, 'a'), { seq: 0, ms: 0, stream: 'system', text: 'TERM sent' }, ...chunk(1, 'b')])
  const rows = buffer.rows({ stream: 'all' })

  expect([
    ['#L12', '#L0', '#Lx', '#12', ''].map(lineOfHash),
    [1, 2, 3].map((number) => rowOfLine(rows, number)),
  ]).toEqual([
    [12, null, null, null, null],
    [0, 2, -1],
  ])
})

it('search ignores case and escape sequences', () => {
  const buffer = new OutputBuffer()
  buffer.add(chunk(0, '\x1b[31mERR\x1b[0mOR one', 'fine', 'error two'))
  const rows = buffer.rows({ stream: 'all' })

  const found = [new RowFinder().find(rows, 'error'), new RowFinder().find(rows, ''), plainText(rows)]

  expect(found).toEqual([[0, 2], [], 'ERROR one\nfine\nerror two'])
})

it('a search goes on where rows were added, and begins anew where they changed', () => {
  const buffer = new OutputBuffer()
  const finder = new RowFinder()
  buffer.add([...chunk(3, 'x one'), ...chunk(4, 'y')])
  const asked = [finder.find(buffer.rows({ stream: 'all' }), 'x')]
  buffer.add(chunk(5, 'x two'))
  asked.push(finder.find(buffer.rows({ stream: 'all' }), 'x'))
  buffer.add([0, 1, 2].flatMap((seq) => chunk(seq, 'x before')))
  asked.push(finder.find(buffer.rows({ stream: 'all' }), 'x'))
  asked.push(finder.find(buffer.rows({ stream: 'all' }), 'y'))

  expect(asked).toEqual([[1], [1, 3], [0, 1, 2, 3, 5], [4]])
})
