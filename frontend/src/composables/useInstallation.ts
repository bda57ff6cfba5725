/** The audit trail and the installation itself, for its admins. */
import { computed, shallowRef, toValue, type MaybeRefOrGetter } from 'vue'
import { audit, installation } from '@/api/accounts'
import type { AuditProof } from '@/api/types'
import { oneOf } from '@/lib/status'
import { useAction } from './useAction'
import { useLiveQuery } from './useLiveQuery'

/** As they stand in the address. */
export interface AuditFilters {
  actor?: string
  action?: string
  object?: string
  namespace?: string
  outcome?: string
  from?: string
  to?: string
}

export const OUTCOMES = ['done', 'refused', 'failed'] as const

export function useAudit(
  filters: MaybeRefOrGetter<AuditFilters>,
  token: MaybeRefOrGetter<string | undefined>,
) {
  const query = computed(() => ({
    ...toValue(filters),
    outcome: oneOf(OUTCOMES, toValue(filters).outcome)?.[0],
    page_size: 50,
    page_token: toValue(token),
  }))
  return useLiveQuery(
    () => ['audit', query.value],
    (signal) => audit.list(query.value, signal),
    { intervalMs: 10_000 },
  )
}

/** Proves that no entry was changed or removed: walks the whole chain, when asked. */
export function useAuditProof() {
  const proof = shallowRef<AuditProof | null>(null)
  const { act, isBusy, problem } = useAction()

  async function verify(): Promise<void> {
    proof.value = null
    const found = await act(() => audit.verify())
    proof.value = found === true ? null : found
  }

  return { proof, verify, isBusy, problem }
}

export function useCluster() {
  return useLiveQuery(['cluster'], (signal) => installation.cluster(signal), {
    intervalMs: 10_000,
    // No event tells how large the store has grown.
    liveIntervalMs: 10_000,
  })
}
