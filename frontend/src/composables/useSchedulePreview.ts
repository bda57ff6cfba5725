/** What a schedule means, told by the server while one types. */
import { refDebounced } from '@vueuse/core'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { client, unwrap } from '@/api/client'
import { useLiveQuery } from './useLiveQuery'

export function useSchedulePreview(
  given: MaybeRefOrGetter<{ schedule: string; timezone: string; name: string; namespace: string }>,
) {
  const wanted = refDebounced(
    computed(() => toValue(given)),
    250,
  )
  return useLiveQuery(
    () => ['preview', wanted.value],
    (signal) => {
      const { schedule, timezone, name, namespace } = wanted.value
      // `H` stands for a value that name and namespace choose.
      const body = { schedule, timezone, namespace: namespace || 'default', name: name || null, count: 5 }
      return unwrap(client.POST('/api/v1/schedule/preview', { body, signal }))
    },
    // Ticks pass: what is shown must not grow old while one thinks.
    { intervalMs: 30_000, enabled: () => wanted.value.schedule.trim() !== '' },
  )
}
