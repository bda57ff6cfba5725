/** Past and future of all jobs or workers in one window of time. */
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { client, unwrap } from '@/api/client'
import { useLiveQuery } from './useLiveQuery'

/** As they stand in the address. */
export interface TimelineFilters {
  by?: string
  q?: string
  namespace?: string
}

export function useTimeline(
  filters: MaybeRefOrGetter<TimelineFilters>,
  window: MaybeRefOrGetter<{ from: number; to: number }>,
  page: { token: MaybeRefOrGetter<string | undefined>; size?: number },
) {
  const query = computed(() => {
    const { by, q, namespace } = toValue(filters)
    const { from, to } = toValue(window)
    return {
      by: by === 'worker' ? ('worker' as const) : ('job' as const),
      q,
      namespace,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      page_size: page.size ?? 50,
      page_token: toValue(page.token),
    }
  })
  return useLiveQuery(
    () => ['timeline', query.value],
    (signal) => unwrap(client.GET('/api/v1/timeline', { params: { query: query.value }, signal })),
    { intervalMs: 5_000 },
  )
}
