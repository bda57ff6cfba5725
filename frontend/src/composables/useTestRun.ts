/** Runs an unsaved definition once; its execution can be followed like any other. */
import { ref, shallowRef } from 'vue'
import { ask } from '@/api/contract'
import type { Definition } from '@/lib/jobDefinition'
import { asProblem, type ApiProblem } from '@/lib/problem'

export function useTestRun() {
  const executionId = ref<string | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)
  const isStarting = ref(false)

  async function start(definition: Definition): Promise<void> {
    isStarting.value = true
    problem.value = null
    try {
      const body = { definition }
      executionId.value = (
        await ask<{ execution_id: string }>('POST', '/job/test-run', { body })
      ).execution_id
    } catch (error) {
      problem.value = asProblem(error)
      executionId.value = null
    } finally {
      isStarting.value = false
    }
  }

  function close(): void {
    executionId.value = null
    problem.value = null
  }

  return { start, close, executionId, problem, isStarting }
}
