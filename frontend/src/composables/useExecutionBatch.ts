/** Kill or retry many executions; every one answers for itself. */
import { useQueryClient } from '@tanstack/vue-query'
import { ref, shallowRef } from 'vue'
import { client, unwrap } from '@/api/client'
import type { ExecutionBatchItem } from '@/api/types'
import { asProblem, type ApiProblem } from '@/lib/problem'

export const EXECUTION_ACTIONS = ['retry', 'kill'] as const
export type ExecutionAction = (typeof EXECUTION_ACTIONS)[number]

export function useExecutionBatch() {
  const queries = useQueryClient()
  const isBusy = ref(false)
  const results = shallowRef<ExecutionBatchItem[] | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)

  function reset(): void {
    results.value = null
    problem.value = null
  }

  async function act(action: ExecutionAction, ids: readonly string[]): Promise<void> {
    isBusy.value = true
    reset()
    try {
      const body = { action, ids: [...ids] }
      results.value = (await unwrap(client.POST('/api/v1/execution/batch', { body }))).items
    } catch (error) {
      problem.value = asProblem(error)
    } finally {
      isBusy.value = false
      void queries.invalidateQueries({ queryKey: ['executions'] })
    }
  }

  return { act, reset, isBusy, results, problem }
}
