/** Text cut at the places where a search term occurs. Pure. */
export interface MarkedPart {
  text: string
  isMatch: boolean
}

export function markMatches(text: string, needle: string): MarkedPart[] {
  const wanted = needle.toLowerCase()
  if (!wanted) return [{ text, isMatch: false }]
  const parts: MarkedPart[] = []
  const lower = text.toLowerCase()
  let from = 0
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    if (at > from) parts.push({ text: text.slice(from, at), isMatch: false })
    from = at + wanted.length
    parts.push({ text: text.slice(at, from), isMatch: true })
  }
  if (from < text.length || parts.length === 0) parts.push({ text: text.slice(from), isMatch: false })
  return parts
}
