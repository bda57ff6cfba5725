/**
 * What the palette offers for the text that was typed: pages and actions, jobs by name, an execution by its id.
 *
 * Jobs are searched on the server, for there may be ten thousand; an id is recognised by its form alone.
 */
import { refDebounced } from '@vueuse/core'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import type { RouteLocationRaw } from 'vue-router'
import { client, unwrap } from '@/api/client'
import { fuzzyFilter } from '@/lib/fuzzy'
import { toExecution, toJob } from '@/lib/routes'
import { useLiveQuery } from './useLiveQuery'

export interface PaletteEntry {
  id: string
  group: 'page' | 'action' | 'job' | 'execution'
  text: string
  detail?: string
  keys?: string
  to?: RouteLocationRaw
  act?: () => void
}

/** `{uid}.{tick}.{attempt}`, as the ledger and the logs of a worker name it. */
const EXECUTION_ID = /^[\w-]+\.\d+\.\d+$/
const JOBS_SHOWN = 8

export function usePalette(
  typed: MaybeRefOrGetter<string>,
  known: MaybeRefOrGetter<readonly PaletteEntry[]>,
  isOpen: MaybeRefOrGetter<boolean>,
) {
  const wanted = refDebounced(
    computed(() => toValue(typed).trim()),
    120,
  )
  const jobs = useLiveQuery(
    () => ['jobs', 'palette', wanted.value],
    (signal) => {
      const query = { q: wanted.value || undefined, page_size: JOBS_SHOWN }
      return unwrap(client.GET('/api/v1/job/list', { params: { query }, signal }))
    },
    { intervalMs: 0, enabled: () => toValue(isOpen) },
  )

  const entries = computed<PaletteEntry[]>(() => {
    const text = toValue(typed).trim()
    const execution: PaletteEntry[] = EXECUTION_ID.test(text)
      ? [{ id: `execution ${text}`, group: 'execution', text, to: toExecution(text) }]
      : []
    const found = (jobs.data.value?.items ?? []).map((job): PaletteEntry => ({
      id: `job ${job.namespace}/${job.name}`,
      group: 'job',
      text: job.name,
      detail: job.namespace,
      to: toJob(job),
    }))
    const fitting = fuzzyFilter(toValue(known), text, (entry) => entry.text)
    const jobsFitting = fuzzyFilter(found, text, (entry) => `${entry.detail}/${entry.text}`)
    const seen = new Set<string>()
    const once = (entry: PaletteEntry) => !seen.has(entry.id) && seen.add(entry.id)
    // With something typed a job is what one looks for most; without, the pages are a menu. What the server found
    // by a description, and what it had found for the text before, comes last: Enter must not open that.
    const ordered = text ? [...execution, ...jobsFitting, ...fitting, ...found] : [...fitting, ...jobsFitting]
    return ordered.filter(once)
  })

  return { entries, isLoading: jobs.isFetching, problem: jobs.problem }
}
