/**
 * Events of the server and which fetched data they make old. Pure.
 *
 * A key is a prefix of the keys the composables fetch under; objects in it match those that contain them. What the
 * server may add later is ignored: an unknown event makes nothing old.
 */

export type StreamState = 'live' | 'reconnecting' | 'polling'

export type LiveEvent =
  | { kind: 'job'; namespace: string; name: string }
  | { kind: 'execution'; id: string; namespace: string; job: string }
  | { kind: 'worker'; id: string }
  | { kind: 'resync' }

export type DataKey = readonly unknown[]

export const EVENT_NAMES = ['job', 'execution', 'worker', 'resync'] as const

/** Null for an event of an unknown name or with a body that cannot be read. */
export function parseLiveEvent(name: string, text: string): LiveEvent | null {
  if (name === 'resync') return { kind: 'resync' }
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof body !== 'object' || body === null) return null
  const fields = body as Record<string, unknown>
  const word = (field: string) => (typeof fields[field] === 'string' ? fields[field] : '')
  switch (name) {
    case 'job':
      return { kind: 'job', namespace: word('namespace'), name: word('name') }
    case 'execution':
      return { kind: 'execution', id: word('id'), namespace: word('namespace'), job: word('job') }
    case 'worker':
      return { kind: 'worker', id: word('id') }
    default:
      return null
  }
}

/** What is old after *event*; null means everything. */
export function keysTouchedBy(event: LiveEvent): readonly DataKey[] | null {
  switch (event.kind) {
    case 'job': {
      const job = { namespace: event.namespace, name: event.name }
      return [['jobs'], ['job', job], ['ledger', job], ['overview'], ['timeline']]
    }
    case 'execution': {
      const job = { namespace: event.namespace, name: event.job }
      return [
        ['executions'],
        ['execution', event.id],
        ['jobs'],
        ['job', job],
        ['ledger', job],
        ['stats', job],
        ['overview'],
        ['timeline'],
        ['workers'],
        ['worker'],
      ]
    }
    case 'worker':
      return [['workers'], ['worker', event.id], ['overview'], ['jobs'], ['timeline']]
    case 'resync':
      return null
  }
}

/** Keys that wait to be fetched again, each once, however many events named it. */
export class TouchedKeys {
  private keys = new Map<string, DataKey>()
  private everything = false

  get isEmpty(): boolean {
    return !this.everything && this.keys.size === 0
  }

  add(event: LiveEvent): void {
    const touched = keysTouchedBy(event)
    if (touched === null) {
      this.everything = true
      this.keys.clear()
    } else if (!this.everything) {
      for (const key of touched) this.keys.set(JSON.stringify(key), key)
    }
  }

  /** Put back what could not be fetched now. */
  keep(key: DataKey): void {
    this.keys.set(JSON.stringify(key), key)
  }

  /** All of them, which are forgotten here; an empty key stands for everything. */
  take(): DataKey[] {
    const taken = this.everything ? [[]] : [...this.keys.values()]
    this.clear()
    return taken
  }

  clear(): void {
    this.everything = false
    this.keys.clear()
  }
}
