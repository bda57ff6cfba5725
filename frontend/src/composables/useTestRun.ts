/** Runs an unsaved definition once; its execution can be followed like any other. */
import { ref, shallowRef } from 'vue'
import { client, unwrap } from '@/api/client'
import type { JobDefinition } from '@/api/types'
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
      const body = { definition: definition as JobDefinition }
      executionId.value = (await unwrap(client.POST('/api/v1/job/test-run', { body }))).execution_id
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
