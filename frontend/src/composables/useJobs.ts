/** Jobs as the server lists and describes them. */
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { client, unwrap } from '@/api/client'
import type { JobFilters } from '@/lib/listFilters'
import { JOB_ORDERS, JOB_STATUSES, oneOf } from '@/lib/status'
import { useLiveQuery } from './useLiveQuery'

export interface JobRef {
  namespace: string
  name: string
}

export function useJobList(
  filters: MaybeRefOrGetter<JobFilters>,
  page: { token: MaybeRefOrGetter<string | undefined>; size?: number },
) {
  const query = computed(() => {
    const { q, namespace, label, enabled, status, order_by } = toValue(filters)
    return {
      q,
      namespace,
      label: label?.split(',').filter(Boolean),
      enabled: enabled ? enabled === 'true' : undefined,
      status: oneOf(JOB_STATUSES, status)?.[0],
      order_by: oneOf(JOB_ORDERS, order_by)?.[0],
      page_size: page.size ?? 50,
      page_token: toValue(page.token),
    }
  })
  return useLiveQuery(
    () => ['jobs', query.value],
    (signal) => unwrap(client.GET('/api/v1/job/list', { params: { query: query.value }, signal })),
    { intervalMs: 4_000 },
  )
}

export function useJob(job: MaybeRefOrGetter<JobRef | null>) {
  return useLiveQuery(
    () => ['job', toValue(job)],
    (signal) => {
      const { name, namespace } = toValue(job) ?? { name: '', namespace: '' }
      return unwrap(
        client.GET('/api/v1/job/{name}', { params: { path: { name }, query: { namespace } }, signal }),
      )
    },
    { intervalMs: 4_000, enabled: () => toValue(job) !== null },
  )
}

export type LedgerFilter = 'execution' | 'skipped' | 'missed'

/** The ledger, or those of its entries that are of one kind. */
export function useJobLedger(
  job: MaybeRefOrGetter<JobRef>,
  page: { token: MaybeRefOrGetter<string | undefined>; kind: MaybeRefOrGetter<LedgerFilter | undefined> },
) {
  return useLiveQuery(
    () => ['ledger', toValue(job), toValue(page.token), toValue(page.kind)],
    (signal) => {
      const { name, namespace } = toValue(job)
      const query = { namespace, kind: toValue(page.kind), page_size: 50, page_token: toValue(page.token) }
      return unwrap(client.GET('/api/v1/job/{name}/ledger', { params: { path: { name }, query }, signal }))
    },
    { intervalMs: 6_000 },
  )
}

/** Why a tick ran or did not; asked when *tick* is set. */
export function useExplain(job: MaybeRefOrGetter<JobRef>, tick: MaybeRefOrGetter<number | string | null>) {
  return useLiveQuery(
    () => ['explain', toValue(job), toValue(tick)],
    (signal) => {
      const { name, namespace } = toValue(job)
      const query = { namespace, tick: toValue(tick) ?? 0 }
      return unwrap(client.GET('/api/v1/job/{name}/explain', { params: { path: { name }, query }, signal }))
    },
    { intervalMs: 0, enabled: () => toValue(tick) !== null },
  )
}
