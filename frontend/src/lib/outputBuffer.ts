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

  /** What is shown, in order: lines that pass *filter*, and a row for every gap (also before the first). */
  rows({ stream }: OutputFilter): OutputRow[] {
    const rows: OutputRow[] = []
    let expected = 0
    // Numbers are counted here only as long as nothing is missing before; the server's own win.
    let counted: number | null = 0
    for (const seq of [...this.chunks.keys()].sort((a, b) => a - b)) {
      if (seq > expected) {
        rows.push({ kind: 'gap', key: `gap-${expected}`, gap: { from: expected, to: seq - 1 } })
        counted = null
      }
      expected = seq + 1
      this.chunks.get(seq)?.forEach((line, position) => {
        if (counted !== null && line.stream !== 'system') counted += 1
        const number = line.n ?? (line.stream === 'system' ? null : counted)
        if (stream === 'all' || line.stream === stream || line.stream === 'system') {
          rows.push({ kind: 'line', key: `${seq}.${position}`, line, number })
        }
      })
    }
    return rows
  }
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
