/**
 * The output of one execution, collected from answers that may overlap, repeat or leave gaps.
 *
 * Pure values: no timers, no requests. Lines are ordered by (chunk seq, position in the chunk). A chunk that is
 * already there is not added twice; a jump in the seqs becomes a gap, until the missing chunks arrive.
 */
import { withoutAnsi } from './ansi'

export interface OutputLine {
  seq: number
  n?: number | null
  ms: number
  stream: string
  text: string
}

export interface Gap {
  /** First and last chunk seq that are not loaded. */
  from: number
  to: number
}

export type OutputRow =
  | { kind: 'line'; key: string; line: OutputLine; number: number | null }
  | { kind: 'gap'; key: string; gap: Gap }

export interface OutputFilter {
  /** `all`, or one stream; remarks of the worker are always shown. */
  stream: 'all' | 'stdout' | 'stderr'
}

export class OutputBuffer {
  private readonly chunks = new Map<number, OutputLine[]>()
  private highest = -1
  private total = 0

  /** How many lines are held. */
  get size(): number {
    return this.total
  }

  /** Every chunk up to this seq was seen by `add`, gaps aside; -1 before the first. */
  get lastSeq(): number {
    return this.highest
  }

  /** Add the lines of one answer; returns how many were new. */
  add(lines: readonly OutputLine[]): number {
    const fresh = new Map<number, OutputLine[]>()
    for (const line of lines) {
      if (this.chunks.has(line.seq)) continue
      const chunk = fresh.get(line.seq)
      if (chunk) chunk.push(line)
      else fresh.set(line.seq, [line])
    }
    let added = 0
    for (const [seq, chunk] of fresh) {
      this.chunks.set(seq, chunk)
      this.highest = Math.max(this.highest, seq)
      added += chunk.length
    }
    this.total += added
    return added
  }

  /**
   * What is shown, in order: lines that pass *filter*, and a row for every gap (also before the first).
   *
   * Lines are numbered from the start as long as nothing is missing; behind a gap only the server's own numbers
   * count, or, where *totalLines* is known, the last part is numbered from its end.
   */
  rows({ stream }: OutputFilter, totalLines: number | null = null): OutputRow[] {
    const rows: OutputRow[] = []
    let number: number | null = 0
    for (const segment of this.segments()) {
      if (segment.from > segment.expected) {
        const gap = { from: segment.expected, to: segment.from - 1 }
        rows.push({ kind: 'gap', key: `gap-${gap.from}`, gap })
        number = segment.isLast && totalLines !== null ? totalLines - segment.lineCount : null
      }
      for (const { key, line } of segment.lines) {
        const isOwn = line.stream !== 'system'
        if (number !== null && isOwn) number += 1
        if (stream === 'all' || line.stream === stream || !isOwn) {
          rows.push({ kind: 'line', key, line, number: line.n ?? (isOwn ? number : null) })
        }
      }
    }
    return rows
  }

  /** Runs of chunks without a hole; `expected` is where a run would have begun had nothing been missing. */
  private *segments(): Generator<Segment> {
    const seqs = [...this.chunks.keys()].sort((a, b) => a - b)
    let expected = 0
    let begin = 0
    for (let position = 1; position <= seqs.length; position += 1) {
      const last = seqs[position - 1] ?? 0
      if (position < seqs.length && seqs[position] === last + 1) continue
      const lines = seqs
        .slice(begin, position)
        .flatMap((seq) =>
          (this.chunks.get(seq) ?? []).map((line, index) => ({ key: `${seq}.${index}`, line })),
        )
      yield {
        from: seqs[begin] ?? 0,
        expected,
        lines,
        lineCount: lines.filter(({ line }) => line.stream !== 'system').length,
        isLast: position === seqs.length,
      }
      expected = last + 1
      begin = position
    }
  }
}

interface Segment {
  from: number
  expected: number
  lines: { key: string; line: OutputLine }[]
  /** Lines of the command, without the worker's remarks. */
  lineCount: number
  isLast: boolean
}

/** Positions in *rows* whose text contains *needle*, whatever its case. */
export function matchingRows(rows: readonly OutputRow[], needle: string): number[] {
  const wanted = needle.toLowerCase()
  if (!wanted) return []
  const found: number[] = []
  rows.forEach((row, position) => {
    if (row.kind === 'line' && withoutAnsi(row.line.text).toLowerCase().includes(wanted)) found.push(position)
  })
  return found
}

/** The lines of *rows* as plain text, for the clipboard. */
export function plainText(rows: readonly OutputRow[]): string {
  return rows
    .filter((row) => row.kind === 'line')
    .map((row) => withoutAnsi(row.line.text))
    .join('\n')
}
