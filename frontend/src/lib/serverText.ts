/**
 * Finds which known sentence of the server a text is, and what stands in its holes. Pure.
 *
 * The server speaks English and gives no code with these; what is not known is shown as it came.
 */

export interface Recognised {
  key: string
  values: Record<string, string>
}

function patternOf(template: string): RegExp {
  const literal = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
  return new RegExp(`^${literal.replace(/\{(\w+)\}/g, '(?<$1>.+?)')}$`)
}

/** A function that recognises texts made of *templates* (`took {ms} ms`); the first that fits wins. */
export function recogniser(templates: Record<string, string>): (text: string) => Recognised | null {
  const patterns = Object.entries(templates).map(([key, template]) => [key, patternOf(template)] as const)
  return (text) => {
    for (const [key, pattern] of patterns) {
      const found = pattern.exec(text)
      if (found) return { key, values: { ...found.groups } }
    }
    return null
  }
}
