/**
 * One stream of the server's events, opened again for ever when it breaks.
 *
 * The browser reconnects by itself after a broken connection and sends the last id; after a refusal (no session,
 * too many streams, a server that is starting) it gives up, and this opens a new one with growing pauses. Knows no
 * store: who listens is told in `handlers`.
 */
import { EVENT_NAMES, type StreamState } from '@/lib/liveEvents'
import { nextPollMs } from '@/lib/polling'

export interface StreamHandlers {
  onState(state: StreamState): void
  onEvent(name: string, data: string): void
}

const PATH = '/api/v1/events'
const RETRY_MS = 2_000
/** A stream that is away for longer is not "reconnecting": it is not there. */
const GIVE_UP_AFTER_MS = 10_000

/** Open the stream; the returned function closes it. */
export function openEventStream(
  handlers: StreamHandlers,
  newSource: (path: string) => EventSource = (path) => new EventSource(path),
): () => void {
  let source: EventSource | null = null
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let giveUpTimer: ReturnType<typeof setTimeout> | undefined
  let failuresInARow = 0
  let hasBeenLive = false

  function open(): void {
    source = newSource(PATH)
    let isResumed = false
    source.onopen = () => {
      clearTimeout(giveUpTimer)
      giveUpTimer = undefined
      failuresInARow = 0
      handlers.onState('live')
      // The browser resumes a stream from its last id; a new one knows nothing of the one before.
      if (hasBeenLive && !isResumed) handlers.onEvent('resync', '{}')
      hasBeenLive = true
      isResumed = true
    }
    source.onerror = onError
    for (const name of EVENT_NAMES) {
      source.addEventListener(name, (event) => handlers.onEvent(name, String(event.data)))
    }
  }

  function onError(): void {
    if (!hasBeenLive) handlers.onState('polling')
    else if (giveUpTimer === undefined) {
      handlers.onState('reconnecting')
      giveUpTimer = setTimeout(() => handlers.onState('polling'), GIVE_UP_AFTER_MS)
    }
    if (source?.readyState !== 2 /* CLOSED: the browser will not try again */) return
    failuresInARow += 1
    retryTimer = setTimeout(open, nextPollMs(RETRY_MS, failuresInARow - 1))
  }

  open()
  return () => {
    clearTimeout(retryTimer)
    clearTimeout(giveUpTimer)
    source?.close()
  }
}
