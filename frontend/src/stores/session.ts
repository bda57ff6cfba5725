/**
 * The token this tab uses. Kept in sessionStorage: gone with the tab, not shared with others.
 *
 * It arrives by hand or in the fragment `#token=` of the address `cronctl up` prints; the fragment is never
 * sent to a server and is removed from the address at once.
 */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { Grant } from '@/lib/rights'

const KEY = 'everytick.token'

/** The token in *hash*, or null. */
export function tokenInFragment(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token') || null
}

export const useSession = defineStore('session', () => {
  const token = ref<string | null>(sessionStorage.getItem(KEY))
  /** What one may do; null with the admin token, which may do everything. */
  const rights = ref<readonly Grant[] | null>(null)
  const isSignedIn = computed(() => token.value !== null)

  function signIn(given: string): void {
    token.value = given
    sessionStorage.setItem(KEY, given)
  }

  function signOut(): void {
    token.value = null
    sessionStorage.removeItem(KEY)
  }

  return { token, rights, isSignedIn, signIn, signOut }
})
