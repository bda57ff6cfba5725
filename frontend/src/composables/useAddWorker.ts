/**
 * Adding a worker: what to put where, and whether it has come.
 *
 * New is every live worker that was not alive when this began.
 */
import { computed, ref, watch } from 'vue'
import { installation } from '@/api/accounts'
import { useLiveQuery } from './useLiveQuery'
import { useWorkerList } from './useWorkers'

export function useAddWorker() {
  const setup = useLiveQuery(['worker-setup'], (signal) => installation.workerSetup(signal), {
    intervalMs: 0,
  })
  const workers = useWorkerList()
  const before = ref<Set<string> | null>(null)
  const since = ref(Date.now())

  const alive = computed(() =>
    (workers.data.value?.items ?? [])
      .filter((worker) => worker.status !== 'offline')
      .map((worker) => worker.id),
  )
  const arrived = computed(() =>
    before.value === null ? [] : alive.value.filter((id) => !before.value?.has(id)),
  )

  watch(
    () => workers.data.value,
    (data) => {
      if (data && before.value === null) before.value = new Set(alive.value)
    },
    { immediate: true },
  )

  /** Wait for one more. */
  function again(): void {
    before.value = new Set(alive.value)
    since.value = Date.now()
  }

  return { setup, alive, arrived, since, again }
}
