/** The roles one can have, and their grants as people write and read them. Pure. */

export const ROLES = ['viewer', 'operator', 'editor', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** `ops, web` as a list; nothing written means all namespaces (null). */
export function namespacesFrom(text: string): string[] | null {
  const names = text
    .split(/[\s,]+/)
    .map((name) => name.trim())
    .filter(Boolean)
  return names.length > 0 ? [...new Set(names)] : null
}

export function namespacesText(namespaces: readonly string[] | null): string {
  return namespaces === null ? '' : namespaces.join(', ')
}
