/**
 * Data that is kept fresh by asking again.
 *
 * Pauses while the page is hidden, goes on after an error with growing pauses, keeps the last good answer, and
 * tells the live badge how it went. The request is aborted when nobody is interested any more.
 */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { nextPollMs } from '@/lib/polling'
import { asProblem } from '@/lib/problem'
import { useLiveness } from '@/stores/liveness'

export interface LiveQueryOptions {
  /** Milliseconds between one answer and the next question; 0 asks once. */
  intervalMs?: MaybeRefOrGetter<number>
  enabled?: MaybeRefOrGetter<boolean>
}

export function useLiveQuery<T>(
  key: MaybeRefOrGetter<readonly unknown[]>,
  ask: (signal: AbortSignal) => Promise<T>,
  { intervalMs = 5_000, enabled = true }: LiveQueryOptions = {},
) {
  const liveness = useLiveness()
  let failuresInARow = 0

  const query = useQuery({
    queryKey: computed(() => toValue(key)),
    enabled: computed(() => toValue(enabled)),
    placeholderData: keepPreviousData,
    retry: false,
    refetchInterval: () => {
      const usual = toValue(intervalMs)
      return usual > 0 && nextPollMs(usual, failuresInARow)
    },
    queryFn: async ({ signal }) => {
      try {
        const answer = await ask(signal)
        failuresInARow = 0
        liveness.noteAnswer(Date.now())
        return answer
      } catch (error) {
        if (signal.aborted) throw error
        const problem = asProblem(error)
        failuresInARow += 1
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
