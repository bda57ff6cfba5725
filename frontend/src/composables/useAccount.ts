/** Signing in and out, the first account, and one's own password. */
import { useQueryClient } from '@tanstack/vue-query'
import { computed, ref } from 'vue'
import { auth } from '@/api/accounts'
import type { Me } from '@/api/types'
import { clockAheadMs } from '@/lib/clock'
import { useSession } from '@/stores/session'
import { useAction } from './useAction'
import { useLiveQuery } from './useLiveQuery'

/**
 * Whether there are accounts, and which ways lead in, with how far this browser's clock is ahead of the server's.
 * Asked often while the checks of a new installation are shown.
 */
export function useAuthState(options: { intervalMs?: number } = {}) {
  return useLiveQuery(
    ['auth-state'],
    async (signal) => {
      const askedAt = Date.now()
      const state = await auth.state(signal)
      return { ...state, clockAheadMs: clockAheadMs(state.server_time, askedAt, Date.now()) }
    },
    { intervalMs: options.intervalMs ?? 30_000 },
  )
}

function useEntering() {
  const session = useSession()
  const queries = useQueryClient()
  const { act, isBusy, problem } = useAction()
  /** Epoch milliseconds until which the server does not listen. */
  const throttledUntil = ref<number | null>(null)

  /** Whether one is signed in now. */
  async function enter(ask: () => Promise<Me>): Promise<boolean> {
    const me = await act(ask)
    const wait = problem.value?.retryAfterS
    throttledUntil.value = problem.value?.status === 429 ? Date.now() + (wait ?? 60) * 1000 : null
    if (me === null || me === true) return false
    // Nothing that was fetched for somebody else may be shown.
    queries.clear()
    session.enter(me)
    return true
  }

  return { enter, isBusy, problem, throttledUntil }
}

export function useSignIn() {
  const { enter, ...rest } = useEntering()
  return { ...rest, signIn: (name: string, password: string) => enter(() => auth.signIn(name, password)) }
}

export function useFirstAdmin() {
  const session = useSession()
  const { enter, ...rest } = useEntering()

  async function create(username: string, password: string): Promise<boolean> {
    const isDone = await enter(() =>
      auth.setUp({ token: session.setupToken ?? '', username, password, display_name: username }),
    )
    if (isDone) session.keepSetupToken(null)
    return isDone
  }

  return {
    ...rest,
    create,
    setupToken: computed(() => session.setupToken),
    keepSetupToken: session.keepSetupToken,
  }
}

export function useSignOut() {
  const session = useSession()
  const queries = useQueryClient()
  return async (): Promise<void> => {
    // A session that has ended meanwhile is what was wanted.
    await auth.signOut().catch(() => undefined)
    session.leave()
    queries.clear()
  }
}

export function useOwnPassword() {
  const { act, isBusy, problem } = useAction()
  return {
    isBusy,
    problem,
    /** Whether it is changed; all other sessions of this user have ended then. */
    change: async (current: string, next: string) =>
      (await act(() => auth.changePassword(current, next))) !== null,
  }
}

export function useMe() {
  const session = useSession()
  return computed(() => session.me)
}
