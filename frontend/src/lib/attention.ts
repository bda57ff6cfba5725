/** What deserves attention first, one entry per job and kind of trouble. Pure. */
import type { ExecutionRow, JobRow } from '@/api/types'

export type Attention =
  | {
      kind: 'quarantined' | 'no_worker'
      key: string
      job: { namespace: string; name: string }
      detail: string | null
    }
  | {
      kind: 'execution'
      key: string
      job: { namespace: string; name: string }
      newest: ExecutionRow
      count: number
    }

const MOST = 12

export function collectAttention({
  executions,
  jobs,
}: {
  executions: readonly ExecutionRow[]
  jobs: readonly JobRow[]
}): Attention[] {
  const found: Attention[] = []
  for (const job of jobs) {
    const ref = { namespace: job.namespace, name: job.name }
    const key = `${job.namespace}/${job.name}`
    if (job.state.quarantined) {
      found.push({ kind: 'quarantined', key: `q ${key}`, job: ref, detail: job.state.quarantined })
    } else if (!job.state.paused && job.state.eligible_workers === 0) {
      found.push({ kind: 'no_worker', key: `w ${key}`, job: ref, detail: null })
    }
  }
  const groups = new Map<string, Attention & { kind: 'execution' }>()
  for (const execution of [...executions].sort((a, b) => b.scheduled_at.localeCompare(a.scheduled_at))) {
    const key = `${execution.status} ${execution.namespace}/${execution.job}`
    const group = groups.get(key)
    if (group) group.count += 1
    else {
      const job = { namespace: execution.namespace, name: execution.job }
      groups.set(key, { kind: 'execution', key, job, newest: execution, count: 1 })
    }
  }
  return [...found, ...groups.values()].slice(0, MOST)
}
