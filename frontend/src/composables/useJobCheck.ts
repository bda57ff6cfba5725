/** What the server says about a definition that is not saved: its faults, and the workers it fits. */
import { refDebounced } from '@vueuse/core'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { client, unwrap } from '@/api/client'
import type { Definition } from '@/lib/jobDefinition'
import { useLiveQuery } from './useLiveQuery'

export function useJobCheck(given: MaybeRefOrGetter<Definition | null>) {
  // As text: an equal definition is no new question.
  const wanted = refDebounced(
    computed(() => JSON.stringify(toValue(given))),
    400,
  )
  return useLiveQuery(
    () => ['check', wanted.value],
    (signal) => {
      const body = { definition: JSON.parse(wanted.value) as Record<string, unknown> }
      return unwrap(client.POST('/api/v1/job/check', { body, signal }))
    },
    // Workers come and go while one thinks.
    { intervalMs: 15_000, enabled: () => wanted.value !== 'null' },
  )
}
