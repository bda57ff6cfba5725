/** Where two definitions of a job differ, field by field, secrets never shown. Pure. */

export interface Difference {
  /** `retry.max_attempts`, `env.TOKEN` */
  field: string
  theirs: string
  mine: string
}

/** What the server shows in place of a secret value. */
export const MASK = '********'

interface Secret {
  secret: true
  value: string
}

export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && (value as Partial<Secret>).secret === true
}

/** A value of a definition as text: strings as they are, nothing for null, all else as JSON. */
export function shownValue(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (isSecret(value)) return value.value === MASK ? '••••••••' : '•••••••• *'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Maps are compared key by key; lists and plain values as a whole. */
function flat(value: unknown, path: string, into: Map<string, string>): Map<string, string> {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value) && !isSecret(value)
  if (isMap) for (const [key, item] of Object.entries(value)) flat(item, path ? `${path}.${key}` : key, into)
  else into.set(path, shownValue(value))
  return into
}

/** What *mine* would change in *theirs*; empty where they say the same. */
export function differences(theirs: object, mine: object): Difference[] {
  const left = flat(theirs, '', new Map())
  const right = flat(mine, '', new Map())
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((field) => {
    const [before, after] = [left.get(field) ?? '', right.get(field) ?? '']
    return before === after ? [] : [{ field, theirs: before, mine: after }]
  })
}
