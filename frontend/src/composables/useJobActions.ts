/** What one can do to a job. Each says how it went in a notice and lets the lists ask again. */
import { useQueryClient } from '@tanstack/vue-query'
import { ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { client, unwrap } from '@/api/client'
import { asProblem } from '@/lib/problem'
import { toExecution } from '@/lib/routes'
import { useNotices } from '@/stores/notices'
import { useServerText } from './useServerText'
import type { JobRef } from './useJobs'

export interface RunOptions {
  /** Each becomes `CRON_PARAM_<NAME>` in the environment of the command. */
  parameters?: Record<string, string>
  worker?: string
  /** Start although it runs already. */
  force?: boolean
}

export function useJobActions() {
  const { t } = useI18n()
  const { problemLine } = useServerText()
  const notices = useNotices()
  const queries = useQueryClient()
  /** `namespace/name` of the jobs an action is under way for. */
  const busy = ref(new Set<string>())

  function isBusy(job: JobRef): boolean {
    return busy.value.has(`${job.namespace}/${job.name}`)
  }

  async function act<T>(job: JobRef, failed: string, doing: () => Promise<T>): Promise<T | null> {
    const key = `${job.namespace}/${job.name}`
    busy.value = new Set(busy.value).add(key)
    try {
      return await doing()
    } catch (error) {
      notices.show({ kind: 'failed', text: failed, detail: problemLine(asProblem(error)) })
      return null
    } finally {
      busy.value = new Set([...busy.value].filter((other) => other !== key))
      for (const list of ['jobs', 'job', 'executions']) void queries.invalidateQueries({ queryKey: [list] })
    }
  }

  function of({ name, namespace }: JobRef) {
    return { params: { path: { name }, query: { namespace } } }
  }

  /** Whether it was accepted. */
  async function runNow(job: JobRef, how: RunOptions = {}): Promise<boolean> {
    const body = { parameters: how.parameters ?? {}, worker: how.worker || null, force: how.force ?? false }
    const accepted = await act(job, t('notice.runFailed', { job: job.name }), () =>
      unwrap(client.POST('/api/v1/job/run/{name}', { ...of(job), body })),
    )
    if (!accepted) return false
    notices.show({
      kind: 'done',
      text: t('notice.runAccepted', { job: job.name }),
      link: { to: toExecution(accepted.execution_id), text: t('notice.openExecution') },
    })
    return true
  }

  /** No tick starts until *until*; then it goes on by itself. */
  async function pauseUntil(job: JobRef, until: string): Promise<void> {
    const saved = await act(job, t('notice.saveFailed', { job: job.name }), () =>
      unwrap(client.POST('/api/v1/job/disable/{name}', { ...of(job), body: { until } })),
    )
    if (saved) notices.show({ kind: 'done', text: t('notice.pausedUntil', { job: job.name }) })
  }

  async function setEnabled(job: JobRef, enabled: boolean): Promise<void> {
    const saved = await act(job, t('notice.saveFailed', { job: job.name }), () =>
      enabled
        ? unwrap(client.POST('/api/v1/job/enable/{name}', of(job)))
        : unwrap(client.POST('/api/v1/job/disable/{name}', { ...of(job), body: {} })),
    )
    if (saved) {
      const text = enabled ? 'notice.enabled' : 'notice.disabled'
      notices.show({ kind: 'done', text: t(text, { job: job.name }) })
    }
  }

  async function killAll(job: JobRef): Promise<void> {
    const accepted = await act(job, t('notice.killFailed'), () =>
      unwrap(client.POST('/api/v1/job/kill/{name}', of(job))),
    )
    if (accepted) notices.show({ kind: 'done', text: t('notice.killAccepted', accepted.requested.length) })
  }

  /** Whether the job is gone. */
  async function remove(job: JobRef): Promise<boolean> {
    let isGone = false
    await act(job, t('notice.deleteFailed', { job: job.name }), async () => {
      await unwrap(client.DELETE('/api/v1/job/{name}', of(job)))
      isGone = true
    })
    if (isGone) notices.show({ kind: 'done', text: t('notice.deleted', { job: job.name }) })
    return isGone
  }

  return { runNow, setEnabled, pauseUntil, killAll, remove, isBusy }
}
