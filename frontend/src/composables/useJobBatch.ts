/** One action on many jobs; every job answers for itself. */
import { useQueryClient } from '@tanstack/vue-query'
import { ref, shallowRef } from 'vue'
import { client, unwrap } from '@/api/client'
import type { BatchResult } from '@/api/types'
import { asProblem, type ApiProblem } from '@/lib/problem'
import type { Named } from '@/lib/selection'

export const BATCH_ACTIONS = ['enable', 'disable', 'run', 'kill', 'delete'] as const
export type BatchAction = (typeof BATCH_ACTIONS)[number]

export function useJobBatch() {
  const queries = useQueryClient()
  const isBusy = ref(false)
  const results = shallowRef<BatchResult[] | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)

  function reset(): void {
    results.value = null
    problem.value = null
  }

  async function act(action: BatchAction, jobs: readonly Named[]): Promise<void> {
    isBusy.value = true
    reset()
    try {
      const body = { action, jobs: [...jobs], mode: 'wait' as const }
      results.value = (await unwrap(client.POST('/api/v1/job/batch', { body }))).items
    } catch (error) {
      problem.value = asProblem(error)
    } finally {
      isBusy.value = false
      for (const list of ['jobs', 'job', 'executions', 'overview']) {
        void queries.invalidateQueries({ queryKey: [list] })
      }
    }
  }

  return { act, reset, isBusy, results, problem }
}
