/**
 * Finds which known sentence of the server a text is, and what stands in its holes. Pure.
 *
 * The server speaks English and gives no code with these; what is not known is shown as it came.
 */

export interface Recognised {
  key: string
  values: Record<string, string>
}

export type Recognise = (text: string) => Recognised | null

function patternOf(template: string): RegExp {
  const literal = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
  return new RegExp(`^${literal.replace(/\{(\w+)\}/g, '(?<$1>.+?)')}$`)
}

/** A function that recognises texts made of *templates* (`took {ms} ms`); the first that fits wins. */
export function recogniser(templates: Record<string, string>): Recognise {
  const patterns = Object.entries(templates).map(([key, template]) => [key, patternOf(template)] as const)
  return (text) => {
    for (const [key, pattern] of patterns) {
      const found = pattern.exec(text)
      if (found) return { key, values: { ...found.groups } }
    }
    return null
  }
}

/** What a sentence is about stands before it: `minute: 61 is not within 0-59`, `retry.delay_s: field required`. */
const SUBJECT = /^(@?[\w./-]+): (.+)$/

/**
 * *text* in the words of *say*, which answers null for a sentence it does not know; null when it knows none.
 *
 * Several sentences may stand side by side, and each may say first what it is about. All must be known: half a
 * text in another language is harder to read than none.
 */
export function sayAll(text: string, say: (sentence: string) => string | null): string | null {
  const whole = say(text)
  if (whole !== null) return whole
  const [, subject, rest] = SUBJECT.exec(text) ?? []
  if (subject && rest) {
    const said = sayAll(rest, say)
    return said === null ? null : `${subject}: ${said}`
  }
  const parts = text.split('; ')
  if (parts.length === 1) return null
  const said = parts.map((part) => sayAll(part, say))
  return said.includes(null) ? null : said.join('; ')
}
