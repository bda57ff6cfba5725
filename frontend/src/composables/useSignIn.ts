/** Tries a token against the server before it is kept. */
import { ref } from 'vue'
import { client, unwrap } from '@/api/client'
import { asProblem, type ApiProblem } from '@/lib/problem'
import { useSession } from '@/stores/session'

export function useSignIn() {
  const session = useSession()
  const problem = ref<ApiProblem | null>(null)
  const isBusy = ref(false)

  /** Whether the server accepts *token*; if so it is kept. */
  async function signIn(token: string): Promise<boolean> {
    isBusy.value = true
    problem.value = null
    session.signIn(token)
    try {
      await unwrap(client.GET('/api/v1/version'))
      return true
    } catch (error) {
      session.signOut()
      problem.value = asProblem(error)
      return false
    } finally {
      isBusy.value = false
    }
  }

  return { signIn, problem, isBusy }
}
