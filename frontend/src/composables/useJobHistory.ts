/** What happened to one job: versions of its definition, its workers, who did what to it, its ninety days. */
import { useQueryClient } from '@tanstack/vue-query'
import { useNow } from '@vueuse/core'
import { computed, ref, shallowRef, toValue, type MaybeRefOrGetter } from 'vue'
import { client, unwrap } from '@/api/client'
import { HEAT } from '@/lib/heatMap'
import { asProblem, type ApiProblem } from '@/lib/problem'
import type { JobRef } from './useJobs'
import { useLiveQuery } from './useLiveQuery'

const DAY_MS = 86_400_000

/** Figures over the ninety days the heat-map shows. */
export function useNinetyDays(job: MaybeRefOrGetter<JobRef>) {
  const now = useNow({ interval: 60_000 })
  const today = computed(() => now.value.toISOString().slice(0, 10))
  const from = computed(() => new Date(Date.parse(today.value) - (HEAT.days - 1) * DAY_MS).toISOString())
  const query = useLiveQuery(
    () => ['stats', toValue(job), from.value],
    (signal) => {
      const { name, namespace } = toValue(job)
      const params = { path: { name }, query: { namespace, from: from.value } }
      return unwrap(client.GET('/api/v1/log/stats/{name}', { params, signal }))
    },
    { intervalMs: 30_000 },
  )
  return { ...query, today }
}

export function useJobVersions(job: MaybeRefOrGetter<JobRef>) {
  return useLiveQuery(
    () => ['job', toValue(job), 'versions'],
    (signal) => {
      const { name, namespace } = toValue(job)
      const params = { path: { name }, query: { namespace, page_size: 200 } }
      return unwrap(client.GET('/api/v1/job/{name}/versions', { params, signal }))
    },
    { intervalMs: 30_000 },
  )
}

export function useJobWorkers(job: MaybeRefOrGetter<JobRef>) {
  return useLiveQuery(
    () => ['job', toValue(job), 'workers'],
    (signal) => {
      const { name, namespace } = toValue(job)
      const params = { path: { name }, query: { namespace } }
      return unwrap(client.GET('/api/v1/job/{name}/workers', { params, signal }))
    },
    { intervalMs: 5_000 },
  )
}

export function useJobAudit(job: MaybeRefOrGetter<JobRef>) {
  return useLiveQuery(
    () => ['job', toValue(job), 'audit'],
    (signal) => {
      const { name, namespace } = toValue(job)
      const params = { path: { name }, query: { namespace } }
      return unwrap(client.GET('/api/v1/job/{name}/audit', { params, signal }))
    },
    { intervalMs: 30_000 },
  )
}

/** Puts an older definition back; refused when somebody saved meanwhile (`problem.status` 412). */
export function useRevert(job: MaybeRefOrGetter<JobRef>) {
  const queries = useQueryClient()
  const isBusy = ref(false)
  const problem = shallowRef<ApiProblem | null>(null)

  async function revert(generation: number, revision: number): Promise<boolean> {
    const { name, namespace } = toValue(job)
    isBusy.value = true
    problem.value = null
    try {
      const params = { path: { name }, query: { namespace } }
      const headers = { 'If-Match': `"${revision}"` }
      await unwrap(client.POST('/api/v1/job/{name}/revert', { params, headers, body: { generation } }))
      return true
    } catch (error) {
      problem.value = asProblem(error)
      return false
    } finally {
      isBusy.value = false
      for (const list of ['jobs', 'job']) void queries.invalidateQueries({ queryKey: [list] })
    }
  }

  return { revert, isBusy, problem }
}
