/** The workers of this installation, and what one can do to them. */
import { useQueryClient } from '@tanstack/vue-query'
import { ref, toValue, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import { client, unwrap } from '@/api/client'
import { asProblem, type ApiProblem } from '@/lib/problem'
import { useNotices } from '@/stores/notices'
import { useLiveQuery } from './useLiveQuery'
import { useServerText } from './useServerText'

const DAY_MS = 86_400_000
const POINTS = 240

export function useWorkerList() {
  return useLiveQuery(['workers'], (signal) => unwrap(client.GET('/api/v1/worker/list', { signal })), {
    intervalMs: 4_000,
  })
}

export function useWorker(id: MaybeRefOrGetter<string>) {
  return useLiveQuery(
    () => ['worker', toValue(id)],
    (signal) => unwrap(client.GET('/api/v1/worker/{worker_id}', { params: path(id), signal })),
    { intervalMs: 4_000 },
  )
}

/** CPU, memory, load and running executions of the last day. */
export function useWorkerMetrics(id: MaybeRefOrGetter<string>) {
  return useLiveQuery(
    () => ['worker', toValue(id), 'metrics'],
    (signal) => {
      const to = Date.now()
      const query = {
        from: new Date(to - DAY_MS).toISOString(),
        to: new Date(to).toISOString(),
        points: POINTS,
      }
      const params = { ...path(id), query }
      return unwrap(client.GET('/api/v1/worker/{worker_id}/metrics', { params, signal }))
    },
    { intervalMs: 30_000 },
  )
}

/** Jobs that only this worker can run, and jobs that name it. */
export function useWorkerJobs(id: MaybeRefOrGetter<string>) {
  return useLiveQuery(
    () => ['worker', toValue(id), 'jobs'],
    (signal) => unwrap(client.GET('/api/v1/worker/{worker_id}/jobs', { params: path(id), signal })),
    { intervalMs: 15_000 },
  )
}

/** What happened to this worker: came, went, drained, clock alarms. */
export function useWorkerLog(id: MaybeRefOrGetter<string>) {
  return useLiveQuery(
    () => ['worker', toValue(id), 'log'],
    (signal) => unwrap(client.GET('/api/v1/worker/{worker_id}/log', { params: path(id), signal })),
    { intervalMs: 10_000 },
  )
}

export function useWorkerActions() {
  const { t } = useI18n()
  const { problemLine } = useServerText()
  const notices = useNotices()
  const queries = useQueryClient()
  const isBusy = ref(false)

  /** The problem when it failed, which was told already; null when it was done. */
  async function act(failed: string, doing: () => Promise<unknown>): Promise<ApiProblem | null> {
    isBusy.value = true
    try {
      await doing()
      return null
    } catch (error) {
      const problem = asProblem(error)
      notices.show({ kind: 'failed', text: failed, detail: problemLine(problem) })
      return problem
    } finally {
      isBusy.value = false
      void queries.invalidateQueries({ queryKey: ['workers'] })
      void queries.invalidateQueries({ queryKey: ['worker'] })
    }
  }

  return {
    isBusy,
    drain: (id: string) =>
      act(t('worker.drainFailed', { id }), () =>
        unwrap(client.POST('/api/v1/worker/{worker_id}/drain', { params: path(id) })),
      ),
    resume: (id: string) =>
      act(t('worker.resumeFailed', { id }), () =>
        unwrap(client.POST('/api/v1/worker/{worker_id}/resume', { params: path(id) })),
      ),
    remove: (id: string, force: boolean) =>
      act(t('worker.removeFailed', { id }), () =>
        unwrap(client.DELETE('/api/v1/worker/{worker_id}', { params: { ...path(id), query: { force } } })),
      ),
  }
}

function path(id: MaybeRefOrGetter<string>) {
  return { path: { worker_id: toValue(id) } }
}
