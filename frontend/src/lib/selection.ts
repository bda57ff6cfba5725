/** Which rows of a list are chosen, over all of its pages. Pure: every change is a new set. */

export interface Named {
  namespace: string
  name: string
}

/** What the server takes at once. */
export const MOST_AT_ONCE = 1000

export type Chosen = ReadonlyMap<string, Named>

export const keyOf = ({ namespace, name }: Named): string => `${namespace}/${name}`

export function toggled(chosen: Chosen, row: Named): Chosen {
  const next = new Map(chosen)
  if (!next.delete(keyOf(row)) && next.size < MOST_AT_ONCE) {
    next.set(keyOf(row), { namespace: row.namespace, name: row.name })
  }
  return next
}

/** Add every row of a page, or take all of them out where each is chosen already. */
export function pageToggled(chosen: Chosen, page: readonly Named[]): Chosen {
  const next = new Map(chosen)
  if (isPageChosen(chosen, page)) for (const row of page) next.delete(keyOf(row))
  else {
    for (const row of page) {
      if (next.size < MOST_AT_ONCE) next.set(keyOf(row), { namespace: row.namespace, name: row.name })
    }
  }
  return next
}

export function isPageChosen(chosen: Chosen, page: readonly Named[]): boolean {
  return page.length > 0 && page.every((row) => chosen.has(keyOf(row)))
}

/** What must be typed before *chosen* is destroyed: the name of the one, or how many they are. */
export function confirmationFor(chosen: readonly Named[]): string {
  return chosen.length === 1 ? (chosen[0]?.name ?? '') : String(chosen.length)
}
