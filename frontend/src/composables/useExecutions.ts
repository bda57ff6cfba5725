/** Executions: the list, one of them, and what one can do to it. */
import { useQueryClient } from '@tanstack/vue-query'
import { computed, ref, toValue, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import { client, unwrap } from '@/api/client'
import type { Execution } from '@/api/types'
import type { ExecutionFilters } from '@/lib/listFilters'
import { asProblem } from '@/lib/problem'
import { toExecution } from '@/lib/routes'
import { CAUSES, EXECUTION_STATUSES, oneOf } from '@/lib/status'
import { useNotices } from '@/stores/notices'
import { useLiveQuery } from './useLiveQuery'
import { useServerText } from './useServerText'

export function useExecutionList(
  filters: MaybeRefOrGetter<ExecutionFilters>,
  page: { token?: MaybeRefOrGetter<string | undefined>; size?: number } = {},
) {
  const query = computed(() => ({
    ...toValue(filters),
    status: oneOf(EXECUTION_STATUSES, toValue(filters).status),
    cause: oneOf(CAUSES, toValue(filters).cause),
    page_size: page.size ?? 50,
    page_token: toValue(page.token),
  }))
  return useLiveQuery(
    () => ['executions', query.value],
    (signal) => unwrap(client.GET('/api/v1/log/list', { params: { query: query.value }, signal })),
    { intervalMs: 4_000 },
  )
}

const BUCKETS = 60

/** How many there were over time, by status, of those that *filters* choose. */
export function useExecutionHistogram(filters: MaybeRefOrGetter<ExecutionFilters>) {
  const query = computed(() => ({
    ...toValue(filters),
    status: oneOf(EXECUTION_STATUSES, toValue(filters).status),
    cause: oneOf(CAUSES, toValue(filters).cause),
    buckets: BUCKETS,
  }))
  return useLiveQuery(
    () => ['executions', 'histogram', query.value],
    (signal) => unwrap(client.GET('/api/v1/log/histogram', { params: { query: query.value }, signal })),
    { intervalMs: 10_000 },
  )
}

export function useExecution(id: MaybeRefOrGetter<string>) {
  const isOver = ref(false)
  const live = useLiveQuery(
    () => ['execution', toValue(id)],
    async (signal) => {
      const path = { execution_id: toValue(id) }
      const execution = await unwrap(
        client.GET('/api/v1/execution/{execution_id}', { params: { path }, signal }),
      )
      isOver.value = !execution.live && execution.finished_at !== null
      return execution
    },
    { intervalMs: () => (isOver.value ? 15_000 : 1_500) },
  )
  return live
}

/** What an execution of the same job usually takes: the median of its last month, in milliseconds. */
export function useUsualDuration(execution: MaybeRefOrGetter<Execution | undefined>) {
  const job = computed(() => {
    const { namespace, job: name } = toValue(execution) ?? {}
    return namespace && name ? { namespace, name } : null
  })
  const { data } = useLiveQuery(
    () => ['stats', job.value],
    (signal) => {
      const { name, namespace } = job.value ?? { name: '', namespace: '' }
      return unwrap(
        client.GET('/api/v1/log/stats/{name}', { params: { path: { name }, query: { namespace } }, signal }),
      )
    },
    { intervalMs: 60_000, enabled: () => job.value !== null },
  )
  return computed(() => data.value?.duration_ms.p50 ?? null)
}

export function useExecutionActions(id: MaybeRefOrGetter<string>) {
  const { t } = useI18n()
  const { problemLine } = useServerText()
  const notices = useNotices()
  const queries = useQueryClient()
  const isBusy = ref(false)

  async function act<T>(failed: string, doing: () => Promise<T>): Promise<T | null> {
    isBusy.value = true
    try {
      return await doing()
    } catch (error) {
      notices.show({ kind: 'failed', text: failed, detail: problemLine(asProblem(error)) })
      return null
    } finally {
      isBusy.value = false
      void queries.invalidateQueries({ queryKey: ['execution'] })
    }
  }

  const params = () => ({ params: { path: { execution_id: toValue(id) } } })

  async function kill(): Promise<void> {
    const accepted = await act(t('notice.killFailed'), () =>
      unwrap(client.POST('/api/v1/execution/{execution_id}/kill', params())),
    )
    if (accepted) notices.show({ kind: 'done', text: t('notice.killAccepted', accepted.requested.length) })
  }

  async function retry(): Promise<void> {
    const accepted = await act(t('notice.retryFailed'), () =>
      unwrap(client.POST('/api/v1/execution/{execution_id}/retry', params())),
    )
    if (!accepted) return
    notices.show({
      kind: 'done',
      text: t('notice.retryAccepted'),
      link: { to: toExecution(accepted.execution_id), text: t('notice.openExecution') },
    })
  }

  return { kill, retry, isBusy }
}
