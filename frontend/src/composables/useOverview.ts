/** What the first page needs, and what of it deserves attention. */
import { useNow } from '@vueuse/core'
import { computed } from 'vue'
import { client, unwrap } from '@/api/client'
import { collectAttention } from '@/lib/attention'
import { useExecutionList } from './useExecutions'
import { useJobList } from './useJobs'
import { useLiveQuery } from './useLiveQuery'
import { useWorkerList } from './useWorkers'

const DAY_MS = 86_400_000
const TROUBLE = ['failed', 'timed_out', 'lost'] as ('failed' | 'timed_out' | 'lost')[]

export function useOverview() {
  // Whole minutes: the address of the question must not change with every render.
  const now = useNow({ interval: 60_000 })
  const since = computed(() =>
    new Date(Math.floor((now.value.getTime() - DAY_MS) / 60_000) * 60_000).toISOString(),
  )

  const troubled = useLiveQuery(
    () => ['executions', 'troubled', since.value],
    async (signal) => {
      const query = { status: TROUBLE, from: since.value, page_size: 200 }
      const page = await unwrap(client.GET('/api/v1/log/list', { params: { query }, signal }))
      return page.items
    },
    { intervalMs: 6_000 },
  )
  const running = useExecutionList({ status: 'running' }, { size: 20 })
  const jobs = useJobList({ order_by: 'next_tick', enabled: 'true' }, { token: undefined, size: 100 })
  const workers = useWorkerList()

  const attention = computed(() =>
    collectAttention({ executions: troubled.data.value ?? [], jobs: jobs.data.value?.items ?? [] }),
  )
  const nextUp = computed(() =>
    (jobs.data.value?.items ?? []).filter((job) => job.state.next_tick && !job.state.paused).slice(0, 8),
  )

  return { troubled, running, jobs, workers, attention, nextUp }
}
