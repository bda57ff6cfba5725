/**
 * Terminal colours of one line, as pieces of text with classes. Pure.
 *
 * ansi_up reads the escape sequences; its HTML is not used. Pieces are rendered as text nodes, so output can
 * never become markup, and colours need no inline style, which the Content-Security-Policy forbids.
 */
import { AnsiUp } from 'ansi_up'

export interface TextPiece {
  text: string
  classes: string[]
  /** A 24-bit or 256-palette colour, as `rgb(...)`; the 16 named ones are classes. */
  color?: string
  background?: string
}

interface Colour {
  rgb: number[]
  class_name: string
}

interface Fragment {
  text: string
  bold: boolean
  faint: boolean
  italic: boolean
  underline: boolean
  fg: Colour | null
  bg: Colour | null
}

/** The two hooks of ansi_up through which every piece of text passes. */
interface Hooks {
  transform_to_html(fragment: Fragment): string
  process_hyperlink(packet: { text: string }): string
  ansi_to_html(text: string): string
}

function pieceOf(fragment: Fragment): TextPiece {
  const piece: TextPiece = { text: fragment.text, classes: [] }
  for (const style of ['bold', 'faint', 'italic', 'underline'] as const) {
    if (fragment[style]) piece.classes.push(`ansi-${style}`)
  }
  if (fragment.fg?.class_name === 'truecolor') piece.color = `rgb(${fragment.fg.rgb.join(' ')})`
  else if (fragment.fg) piece.classes.push(`${fragment.fg.class_name}-fg`)
  if (fragment.bg?.class_name === 'truecolor') piece.background = `rgb(${fragment.bg.rgb.join(' ')})`
  else if (fragment.bg) piece.classes.push(`${fragment.bg.class_name}-bg`)
  return piece
}

/** *line* without its escape sequences, cut where the look changes; each line starts uncoloured. */
export function ansiPieces(line: string): TextPiece[] {
  if (!line.includes('\x1b')) return [{ text: line, classes: [] }]
  const pieces: TextPiece[] = []
  const parser = new AnsiUp() as unknown as Hooks
  parser.transform_to_html = (fragment) => {
    if (fragment.text) pieces.push(pieceOf(fragment))
    return ''
  }
  // A link in output would be a link somebody else chose: only its text is kept.
  parser.process_hyperlink = (packet) => {
    pieces.push({ text: packet.text, classes: [] })
    return ''
  }
  parser.ansi_to_html(line)
  return pieces
}

/** *line* as plain text: what search, copy and line length work on. */
export function withoutAnsi(line: string): string {
  if (!line.includes('\x1b')) return line
  return ansiPieces(line)
    .map((piece) => piece.text)
    .join('')
}
