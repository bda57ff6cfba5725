/**
 * Who is signed in. The session itself is a cookie no script can read; this holds what the server said about it.
 *
 * `unknown` until the server was asked, and again when it could not be.
 */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Me } from '@/api/types'

export type SessionState = 'unknown' | 'in' | 'out'

const SETUP_KEY = 'everytick.setup'

export const useSession = defineStore('session', () => {
  const me = shallowRef<Me | null>(null)
  const state = ref<SessionState>('unknown')
  const csrfToken = computed(() => me.value?.csrf_token ?? null)
  /** Null while it is not known who this is: the server decides, and nothing is hidden. */
  const rights = computed(() => me.value?.rights ?? null)
  /** The one-time token of the first start; kept over a reload, in this tab only. */
  const setupToken = ref(sessionStorage.getItem(SETUP_KEY))

  function enter(who: Me): void {
    me.value = who
    state.value = 'in'
  }

  function leave(): void {
    me.value = null
    state.value = 'out'
  }

  function keepSetupToken(token: string | null): void {
    setupToken.value = token
    if (token) sessionStorage.setItem(SETUP_KEY, token)
    else sessionStorage.removeItem(SETUP_KEY)
  }

  return { me, state, csrfToken, rights, setupToken, enter, leave, keepSetupToken }
})
