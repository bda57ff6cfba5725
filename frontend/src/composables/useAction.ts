/** One thing that is asked of the server: whether it is under way, and what went wrong with the newest attempt. */
import { ref, shallowRef } from 'vue'
import { asProblem, type ApiProblem } from '@/lib/problem'

export function useAction() {
  const isBusy = ref(false)
  const problem = shallowRef<ApiProblem | null>(null)

  /** The result, or null: then `problem` says why. A call without a result gives true. */
  async function act<T>(doing: () => Promise<T>): Promise<NonNullable<T> | true | null> {
    isBusy.value = true
    problem.value = null
    try {
      return (await doing()) ?? true
    } catch (error) {
      problem.value = asProblem(error)
      return null
    } finally {
      isBusy.value = false
    }
  }

  function forget(): void {
    problem.value = null
  }

  return { act, forget, isBusy, problem }
}
