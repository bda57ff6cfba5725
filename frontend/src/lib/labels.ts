/** Labels as one types them: `key=value`, separated by commas or lines. Pure. */

/** `a=1, b=2` as a map; throws with the part that is no `key=value`. */
export function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const part of text.split(/[,\n]/).map((piece) => piece.trim())) {
    if (!part) continue
    const cut = part.indexOf('=')
    if (cut < 1) throw new Error(part)
    labels[part.slice(0, cut).trim()] = part.slice(cut + 1).trim()
  }
  return labels
}

export function labelsText(labels: Record<string, string | undefined>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')
}

export function labelsAreReadable(text: string): boolean {
  try {
    parseLabels(text)
    return true
  } catch {
    return false
  }
}
