/**
 * One event stream for all tabs of a browser.
 *
 * A browser opens at most six connections to a host that speaks HTTP/1.1: with a stream in each of twenty tabs no
 * other request would get through. The tab that holds a lock opens the stream and hands everything on over a
 * channel; when it goes, the lock and with it the stream pass to the next tab, which then fetches everything again,
 * because what happened in between was told to nobody. A browser without locks (a page that is not a secure context)
 * has one stream per tab, while that tab is looked at.
 */
import type { StreamState } from '@/lib/liveEvents'
import type { StreamHandlers } from './eventStream'

type Message = { state: StreamState } | { name: string; data: string } | { ask: true }

export interface SharedStreamPlatform {
  open(handlers: StreamHandlers): () => void
  locks: Pick<LockManager, 'request'> | undefined
  newChannel(name: string): BroadcastChannel
  page: Document
}

const NAME = 'everytick.events'

/** Join the stream of this browser; the returned function leaves it. */
export function joinEventStream(handlers: StreamHandlers, platform: SharedStreamPlatform): () => void {
  return platform.locks
    ? joinShared(handlers, platform, platform.locks)
    : openWhileVisible(handlers, platform)
}

function joinShared(
  handlers: StreamHandlers,
  platform: SharedStreamPlatform,
  locks: Pick<LockManager, 'request'>,
): () => void {
  const channel = platform.newChannel(NAME)
  const leaving = new AbortController()
  const tell = (message: Message) => channel.postMessage(message)
  let close: (() => void) | null = null
  let state: StreamState = 'polling'
  let follows = false

  function noteState(next: StreamState): void {
    if (next === state) return
    state = next
    handlers.onState(next)
  }

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if ('ask' in data) {
      if (close) tell({ state })
    } else if (close) return
    else if ('state' in data) {
      follows ||= data.state === 'live'
      noteState(data.state)
    } else handlers.onEvent(data.name, data.data)
  }

  function handOn(name: string, data: string): void {
    handlers.onEvent(name, data)
    tell({ name, data })
  }

  async function lead(): Promise<void> {
    if (leaving.signal.aborted) return
    let takesOver = follows
    close = platform.open({
      onState(next) {
        noteState(next)
        tell({ state: next })
        if (next === 'live' && takesOver) handOn('resync', '{}')
        if (next === 'live') takesOver = false
      },
      onEvent: handOn,
    })
    await new Promise<void>((resolve) => leaving.signal.addEventListener('abort', () => resolve()))
    close()
  }

  // Rejected when this tab leaves before it is its turn.
  locks.request(NAME, { signal: leaving.signal }, lead).catch(() => undefined)
  tell({ ask: true })
  return () => {
    leaving.abort()
    channel.close()
  }
}

function openWhileVisible(handlers: StreamHandlers, { open, page }: SharedStreamPlatform): () => void {
  let close: (() => void) | null = null
  let hasBeenOpen = false

  function follow(): void {
    if (page.visibilityState === 'hidden') {
      close?.()
      close = null
    } else if (!close) {
      close = open(handlers)
      if (hasBeenOpen) handlers.onEvent('resync', '{}')
      hasBeenOpen = true
    }
  }

  page.addEventListener('visibilitychange', follow)
  follow()
  return () => {
    page.removeEventListener('visibilitychange', follow)
    close?.()
  }
}
