/** API tokens: one's own, or all of the installation. The secret is in the answer of its creation alone. */
import { useQueryClient } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'
import { tokens } from '@/api/accounts'
import type { TokenToCreate } from '@/api/types'
import { useAction } from './useAction'
import { useLiveQuery } from './useLiveQuery'

export function useTokens(all: MaybeRefOrGetter<boolean>) {
  const queries = useQueryClient()
  const list = useLiveQuery(
    () => ['tokens', toValue(all)],
    (signal) => tokens.list(toValue(all), signal),
    { intervalMs: 15_000 },
  )
  const { act, forget, isBusy, problem } = useAction()

  async function change<T>(doing: () => Promise<T>) {
    const result = await act(doing)
    void queries.invalidateQueries({ queryKey: ['tokens'] })
    return result
  }

  return {
    list,
    forget,
    isBusy,
    problem,
    create: async (token: TokenToCreate) => {
      const made = await change(() => tokens.create(token))
      return made === true ? null : made
    },
    remove: (id: string) => change(() => tokens.remove(id)),
  }
}
