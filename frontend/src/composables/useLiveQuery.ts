/**
 * Data that is kept fresh: by the server's events while their stream is there, by asking again while it is not.
 *
 * Also with the stream it asks now and then, for what no event tells. Pauses while the page is hidden, goes on after
 * an error with growing pauses, keeps the last good answer, and tells the live badge how it went. The request is
 * aborted when nobody is interested any more.
 */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, ref, toValue, type MaybeRefOrGetter } from 'vue'
import { nextPollMs } from '@/lib/polling'
import { asProblem } from '@/lib/problem'
import { useLiveness } from '@/stores/liveness'

export interface LiveQueryOptions {
  /** Milliseconds between one answer and the next question; 0 asks once. */
  intervalMs?: MaybeRefOrGetter<number>
  /** The same while the event stream is live; shorter than usual for what no event tells (a load, an output). */
  liveIntervalMs?: MaybeRefOrGetter<number>
  enabled?: MaybeRefOrGetter<boolean>
}

export function useLiveQuery<T>(
  key: MaybeRefOrGetter<readonly unknown[]>,
  ask: (signal: AbortSignal) => Promise<T>,
  { intervalMs = 5_000, liveIntervalMs = 30_000, enabled = true }: LiveQueryOptions = {},
) {
  const liveness = useLiveness()
  const failuresInARow = ref(0)

  const pauseMs = computed(() => {
    const usual = toValue(intervalMs)
    const isFollowing = liveness.isLive && failuresInARow.value === 0
    const pause = isFollowing ? Math.max(usual, toValue(liveIntervalMs)) : usual
    return usual > 0 && nextPollMs(pause, failuresInARow.value)
  })

  const query = useQuery({
    queryKey: computed(() => toValue(key)),
    enabled: computed(() => toValue(enabled)),
    placeholderData: keepPreviousData,
    retry: false,
    refetchInterval: pauseMs,
    queryFn: async ({ signal }) => {
      try {
        const answer = await ask(signal)
        failuresInARow.value = 0
        liveness.noteAnswer(Date.now())
        return answer
      } catch (error) {
        if (signal.aborted) throw error
        const problem = asProblem(error)
        failuresInARow.value += 1
        // A 404 or 422 is an answer: the server is there.
        if (problem.status === 0 || problem.status >= 500) liveness.noteFailure()
        throw problem
      }
    },
  })

  return {
    data: query.data,
    /** Why the newest attempt failed; null after a good one. */
    problem: computed(() => (query.error.value ? asProblem(query.error.value) : null)),
    /** Nothing to show yet, and no error either. */
    isLoading: computed(() => query.isPending.value && !query.error.value && toValue(enabled)),
    /** There is data, but it is the last good answer. */
    isStale: computed(() => query.data.value !== undefined && query.error.value !== null),
    isFetching: query.isFetching,
    refetch: () => query.refetch(),
  }
}
