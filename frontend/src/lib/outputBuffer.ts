/**
 * The output of one execution, collected from answers that may overlap, repeat or leave gaps.
 *
 * Pure values: no timers, no requests. Lines are ordered by (chunk seq, position in the chunk). A chunk that is
 * already there is not added twice; a jump in the seqs becomes a gap, until the missing chunks arrive. So does the
 * part of a chunk that a tail left out: its last lines are held until the whole chunk arrives.
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

export interface LineRow {
  kind: 'line'
  key: string
  line: OutputLine
  number: number | null
  /** The text as search compares it: made when it is first needed, kept with the row. */
  searchable?: string
}

export interface GapRow {
  kind: 'gap'
  key: string
  gap: Gap
}

export type OutputRow = LineRow | GapRow

export interface OutputFilter {
  /** `all`, or one stream; remarks of the worker are always shown. */
  stream: 'all' | 'stdout' | 'stderr'
}

/** The rows of one chunk, made once: following a long output makes rows of what is new only. */
interface Chunk {
  rows: LineRow[]
  /** Lines of the command, without the worker's remarks. */
  lineCount: number
  /** The number before its first line that its rows were numbered with; undefined before that. */
  numberedFrom?: number | null
  /** Only its last lines are here, as far as is known. */
  isCut: boolean
}

export class OutputBuffer {
  private readonly chunks = new Map<number, Chunk>()
  private readonly gaps = new Map<number, GapRow>()
  /** The seqs of all chunks, ascending. */
  private seqs: number[] = []
  private total = 0

  /** How many lines are held. */
  get size(): number {
    return this.total
  }

  /** The newest chunk there is; -1 before the first. */
  get lastSeq(): number {
    return this.seqs.at(-1) ?? -1
  }

  /** The runs of chunks that are missing, or not whole, up to the newest one. */
  get missing(): Gap[] {
    const found: Gap[] = []
    let expected = 0
    for (const seq of this.seqs) {
      const gap = this.gapBefore(seq, expected)
      if (gap) found.push(gap)
      expected = seq + 1
    }
    return found
  }

  /** Add the lines of one answer that has whole chunks only; returns how many were new. */
  add(lines: readonly OutputLine[]): number {
    return this.take(lines, false)
  }

  /** Add the last lines there are: they may begin in the middle of a chunk. Returns how many were new. */
  addTail(lines: readonly OutputLine[]): number {
    return this.take(lines, lines.length > 0 && lines[0]?.n !== 1)
  }

  private take(lines: readonly OutputLine[], isFirstCut: boolean): number {
    const fresh = new Map<number, OutputLine[]>()
    for (const line of lines) {
      if (this.chunks.get(line.seq)?.isCut === false) continue
      const chunk = fresh.get(line.seq)
      if (chunk) chunk.push(line)
      else fresh.set(line.seq, [line])
    }
    const before = this.total
    let isInOrder = true
    for (const [seq, chunk] of fresh) {
      const known = this.chunks.get(seq)
      this.chunks.set(seq, newChunk(seq, chunk, isFirstCut && seq === lines[0]?.seq))
      this.total += chunk.length - (known?.rows.length ?? 0)
      if (known) continue
      isInOrder &&= seq > this.lastSeq
      this.seqs.push(seq)
    }
    if (!isInOrder) this.seqs.sort((a, b) => a - b)
    return this.total - before
  }

  /**
   * What is shown, in order: lines that pass *filter*, and a row for every gap (also before the first).
   *
   * Lines are numbered from the start as long as nothing is missing; behind a gap only the server's own numbers
   * count, or, where *totalLines* is known, the last part is numbered from its end.
   */
  rows({ stream }: OutputFilter, totalLines: number | null = null): OutputRow[] {
    const rows: OutputRow[] = []
    const lastRun = this.lastRun()
    let number: number | null = 0
    let expected = 0
    for (const seq of this.seqs) {
      const chunk = this.chunks.get(seq)
      if (!chunk) continue
      const gap = this.gapBefore(seq, expected)
      if (gap) {
        rows.push(this.gapRow(gap))
        number = seq === lastRun.from && totalLines !== null ? totalLines - lastRun.lineCount : null
      }
      this.numberChunk(chunk, number)
      for (const row of chunk.rows) {
        if (stream === 'all' || row.line.stream === stream || row.line.stream === 'system') rows.push(row)
      }
      if (number !== null) number += chunk.lineCount
      expected = seq + 1
    }
    return rows
  }

  /** What is missing before the lines of chunk *seq*, where *expected* would be the next one without a gap. */
  private gapBefore(seq: number, expected: number): Gap | null {
    const to = this.chunks.get(seq)?.isCut ? seq : seq - 1
    return to >= expected ? { from: expected, to } : null
  }

  private gapRow(gap: Gap): GapRow {
    const known = this.gaps.get(gap.from)
    if (known?.gap.to === gap.to) return known
    const row: GapRow = { kind: 'gap', key: `gap-${gap.from}`, gap }
    this.gaps.set(gap.from, row)
    return row
  }

  private numberChunk(chunk: Chunk, before: number | null): void {
    if (chunk.numberedFrom === before) return
    chunk.numberedFrom = before
    let number = before
    // New rows, not changed ones: whoever shows the old ones must notice.
    chunk.rows = chunk.rows.map((row) => {
      const isOwn = row.line.stream !== 'system'
      if (isOwn && number !== null) number += 1
      return { ...row, number: row.line.n ?? (isOwn ? number : null) }
    })
  }

  /** The newest run of chunks without a hole: where it begins, and its lines. */
  private lastRun(): { from: number; lineCount: number } {
    let from = this.lastSeq
    let lineCount = this.chunks.get(from)?.lineCount ?? 0
    for (let position = this.seqs.length - 2; position >= 0; position -= 1) {
      const seq = this.seqs[position] ?? 0
      if (seq !== from - 1 || this.chunks.get(from)?.isCut) break
      from = seq
      lineCount += this.chunks.get(seq)?.lineCount ?? 0
    }
    return { from, lineCount }
  }
}

function newChunk(seq: number, lines: readonly OutputLine[], isCut: boolean): Chunk {
  return {
    // Keys count from the end of a cut chunk: whole, it has other lines in these places.
    rows: lines.map((line, index) => ({
      kind: 'line',
      key: isCut ? `${seq}.${index - lines.length}` : `${seq}.${index}`,
      line,
      number: null,
    })),
    lineCount: lines.filter((line) => line.stream !== 'system').length,
    isCut,
  }
}

/**
 * Finds the rows whose text contains a term, whatever its case.
 *
 * Remembers its last answer: where rows were only added behind the known ones, only those are looked at.
 */
export class RowFinder {
  private wanted = ''
  private known: readonly OutputRow[] = []
  private found: number[] = []

  /** Positions in *rows*, ascending; none for an empty *needle*. */
  find(rows: readonly OutputRow[], needle: string): number[] {
    const wanted = needle.toLowerCase()
    const isGrown =
      wanted === this.wanted && rows[0] === this.known[0] && rows[this.known.length - 1] === this.known.at(-1)
    const from = isGrown ? this.known.length : 0
    const found = isGrown ? [...this.found] : []
    for (let position = from; wanted && position < rows.length; position += 1) {
      const row = rows[position]
      if (row?.kind !== 'line') continue
      row.searchable ??= withoutAnsi(row.line.text).toLowerCase()
      if (row.searchable.includes(wanted)) found.push(position)
    }
    this.wanted = wanted
    this.known = rows
    this.found = found
    return found
  }
}

/** The position of line *number* in *rows*, or -1. */
export function rowOfLine(rows: readonly OutputRow[], number: number): number {
  return rows.findIndex((row) => row.kind === 'line' && row.number === number)
}

/** The lines of *rows* as plain text, for the clipboard. */
export function plainText(rows: readonly OutputRow[]): string {
  return rows
    .filter((row) => row.kind === 'line')
    .map((row) => withoutAnsi(row.line.text))
    .join('\n')
}

/** The line number that a link like `#L1234` points at, or null. */
export function lineOfHash(hash: string): number | null {
  const found = /^#L([1-9][0-9]{0,8})$/.exec(hash)
  return found ? Number(found[1]) : null
}
