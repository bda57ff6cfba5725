/** The accounts of this installation and what an admin does to them. */
import { useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { users } from '@/api/accounts'
import type { UserToSave } from '@/api/types'
import { useAction } from './useAction'
import { useLiveQuery } from './useLiveQuery'

export function useUserList(
  filters: MaybeRefOrGetter<{ q?: string }>,
  token: MaybeRefOrGetter<string | undefined>,
) {
  const query = computed(() => ({ q: toValue(filters).q, page_size: 50, page_token: toValue(token) }))
  return useLiveQuery(
    () => ['users', query.value],
    (signal) => users.list(query.value, signal),
    { intervalMs: 15_000 },
  )
}

export function useUserActions() {
  const queries = useQueryClient()
  const { act, forget, isBusy, problem } = useAction()

  async function change<T>(doing: () => Promise<T>) {
    const result = await act(doing)
    void queries.invalidateQueries({ queryKey: ['users'] })
    return result
  }

  return {
    forget,
    isBusy,
    problem,
    save: (user: UserToSave, isNew: boolean) => change(() => users.save(user, isNew)),
    remove: (name: string) => change(() => users.remove(name)),
    setPassword: (name: string, next: string) => change(() => users.setPassword(name, next)),
    setEnabled: (name: string, enabled: boolean) => change(() => users.setEnabled(name, enabled)),
    signOut: (name: string) => change(() => users.signOut(name)),
  }
}
