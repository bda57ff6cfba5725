/** How well a text fits what somebody typed, letter by letter. Pure. */

/**
 * Higher is better; null when the letters of *typed* do not occur in *text* in this order.
 *
 * Whole words at the start count most, then starts of words, then letters in a row; short texts before long ones.
 */
export function fuzzyScore(text: string, typed: string): number | null {
  const wanted = typed.trim().toLowerCase().replace(/\s+/g, ' ')
  const lower = text.toLowerCase()
  if (wanted === '') return 0
  const whole = lower.indexOf(wanted)
  if (whole >= 0) return 1_000 - whole * 4 + (isWordStart(lower, whole) ? 200 : 0) - lower.length
  let [score, at, previous] = [0, 0, -2]
  for (const letter of wanted.replace(/ /g, '')) {
    const found = lower.indexOf(letter, at)
    if (found < 0) return null
    score += found === previous + 1 ? 12 : isWordStart(lower, found) ? 10 : 1
    previous = found
    at = found + 1
  }
  return score - lower.length / 8
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? '')
}

/** The *items* that fit, best first; the given order where they fit equally. */
export function fuzzyFilter<T>(items: readonly T[], typed: string, textOf: (item: T) => string): T[] {
  return items
    .map((item, index) => ({ item, index, score: fuzzyScore(textOf(item), typed) }))
    .filter((found): found is { item: T; index: number; score: number } => found.score !== null)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map(({ item }) => item)
}
