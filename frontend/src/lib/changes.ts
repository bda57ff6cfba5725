/** What differs between two JSON values, leaf by leaf. Pure. */

export interface Change {
  /** JSON pointer; empty for the value itself. */
  pointer: string
  before: string | null
  after: string | null
}

function leaves(value: unknown, pointer = ''): Map<string, string> {
  if (value === null || value === undefined) return new Map()
  if (
    typeof value !== 'object' ||
    (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
  ) {
    return new Map([[pointer, JSON.stringify(value)]])
  }
  const found = new Map<string, string>()
  for (const [key, item] of Object.entries(value)) {
    const step = key.replace(/~/g, '~0').replace(/\//g, '~1')
    for (const [at, text] of leaves(item, `${pointer}/${step}`)) found.set(at, text)
  }
  return found
}

/** Null stands for "was not there"; null and absent are the same. */
export function changesBetween(before: unknown, after: unknown): Change[] {
  const [old, fresh] = [leaves(before), leaves(after)]
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .map((pointer) => ({ pointer, before: old.get(pointer) ?? null, after: fresh.get(pointer) ?? null }))
    .filter((change) => change.before !== change.after)
}
