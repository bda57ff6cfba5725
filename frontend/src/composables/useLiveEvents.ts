/**
 * Lets what is on the screen follow the server's events: each makes the data it names old, which is fetched again.
 *
 * A burst is one fetch: at least `SPACING_MS` lie between two of them, and what is being fetched at that moment
 * waits for the next turn, so that a slow list is never cancelled again and again. A hidden tab only notes that
 * something happened: marking data old draws the page again, and twenty hidden tabs would do so all the time. What
 * is on its screen is fetched when it is looked at.
 */
import { useQueryClient } from '@tanstack/vue-query'
import { onScopeDispose } from 'vue'
import { openEventStream, type StreamHandlers } from '@/api/eventStream'
import { joinEventStream } from '@/api/sharedStream'
import { parseLiveEvent, TouchedKeys } from '@/lib/liveEvents'
import { useLiveness } from '@/stores/liveness'

const GATHER_MS = 250
const SPACING_MS = 1_500

type Join = (handlers: StreamHandlers) => () => void

function joinThisBrowser(handlers: StreamHandlers): () => void {
  return joinEventStream(handlers, {
    open: openEventStream,
    locks: navigator.locks,
    newChannel: (name) => new BroadcastChannel(name),
    page: document,
  })
}

export function useLiveEvents(join: Join = joinThisBrowser): void {
  const queries = useQueryClient()
  const liveness = useLiveness()
  const touched = new TouchedKeys()
  let timer: ReturnType<typeof setTimeout> | undefined
  let flushedAt = Number.NEGATIVE_INFINITY
  let missed = false

  function flushSoon(): void {
    if (timer !== undefined) return
    const sinceLast = performance.now() - flushedAt
    timer = setTimeout(flush, Math.max(GATHER_MS, SPACING_MS - sinceLast))
  }

  function flush(): void {
    timer = undefined
    flushedAt = performance.now()
    for (const queryKey of touched.take()) {
      if (queryKey.length > 0 && queries.isFetching({ queryKey }) > 0) touched.keep(queryKey)
      else void queries.invalidateQueries({ queryKey })
    }
    if (!touched.isEmpty) flushSoon()
  }

  const isHidden = () => document.visibilityState === 'hidden'

  function onVisibility(): void {
    if (isHidden()) {
      missed ||= !touched.isEmpty
      touched.clear()
      clearTimeout(timer)
      timer = undefined
    } else if (missed) {
      missed = false
      flushedAt = performance.now()
      // What is being fetched was asked for just now, because the page is looked at again.
      void queries.invalidateQueries({}, { cancelRefetch: false })
    }
  }

  document.addEventListener('visibilitychange', onVisibility)
  const leave = join({
    onState: (state) => (liveness.stream = state),
    onEvent(name, data) {
      if (isHidden()) {
        missed = true
        return
      }
      const event = parseLiveEvent(name, data)
      if (!event) return
      liveness.noteAnswer(Date.now())
      touched.add(event)
      flushSoon()
    },
  })

  onScopeDispose(() => {
    leave()
    document.removeEventListener('visibilitychange', onVisibility)
    clearTimeout(timer)
    liveness.stream = 'polling'
  })
}
