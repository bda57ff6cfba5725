/**
 * The job editor's fields and how they become a definition. Pure.
 *
 * The form edits a part of a job; whatever it does not know is carried over untouched.
 */
import type { Job, JobDefinition } from '@/api/types'

/** What is sent: fields that are left out have their defaults. */
export type Definition = Partial<Omit<JobDefinition, 'retry' | 'target'>> & {
  name: string
  retry?: Partial<JobDefinition['retry']>
  target?: Partial<JobDefinition['target']>
}

export interface JobForm {
  namespace: string
  name: string
  description: string
  labels: string
  command: string
  schedule: string
  timezone: string
  enabled: boolean
  overlap: 'allow' | 'skip' | 'queue_one' | 'replace'
  catch_up: 'none' | 'last' | 'all'
  start_deadline_s: number
  timeout_s: number
  max_attempts: number
  retry_delay_s: number
  retries_lost: boolean
  target_labels: string
  target_workers: string
}

export function emptyForm(timezone: string): JobForm {
  return {
    namespace: 'default',
    name: '',
    description: '',
    labels: '',
    command: '',
    schedule: '*/5 * * * *',
    timezone,
    enabled: true,
    overlap: 'skip',
    catch_up: 'last',
    start_deadline_s: 30,
    timeout_s: 3600,
    max_attempts: 1,
    retry_delay_s: 10,
    retries_lost: false,
    target_labels: '',
    target_workers: '',
  }
}

/** `a=1, b=2` as a map; throws with the part that is no `key=value`. */
export function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const part of text.split(/[,\n]/).map((piece) => piece.trim())) {
    if (!part) continue
    const cut = part.indexOf('=')
    if (cut < 1) throw new Error(part)
    labels[part.slice(0, cut).trim()] = part.slice(cut + 1).trim()
  }
  return labels
}

export function labelsText(labels: Record<string, string | undefined>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')
}

function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}

export function formOf(job: Job): JobForm {
  return {
    namespace: job.namespace,
    name: job.name,
    description: job.description,
    labels: labelsText(job.labels),
    command: job.command ?? '',
    schedule: job.schedule ?? '',
    timezone: job.timezone,
    enabled: job.enabled,
    overlap: job.overlap,
    catch_up: job.catch_up,
    start_deadline_s: job.start_deadline_s,
    timeout_s: job.timeout_s,
    max_attempts: job.retry.max_attempts ?? 1,
    retry_delay_s: job.retry.delay_s ?? 10,
    retries_lost: job.retry.on?.includes('lost') ?? false,
    target_labels: labelsText(job.target.labels ?? {}),
    target_workers: (job.target.workers ?? []).join(', '),
  }
}

const IDENTITY = [
  'v',
  'uid',
  'generation',
  'created_at',
  'changed_at',
  'changed_by',
  'retention_days',
  'revision',
  'state',
  'next_ticks',
  'recent',
  'description_in_words',
]

/** What a user writes of *job*: the answer of the server without what the server added. */
export function definitionOf(job: Job): JobDefinition {
  return Object.fromEntries(
    Object.entries(job).filter(([field]) => !IDENTITY.includes(field)),
  ) as unknown as JobDefinition
}

/** The definition to save: *form* over *before* (the stored job, or the one that is copied). */
export function definitionFrom(form: JobForm, before: Definition | null): Definition {
  const executor = before?.executor ?? 'shell'
  const on = (before?.retry?.on ?? ['failed', 'timed_out']).filter((outcome) => outcome !== 'lost')
  return {
    ...before,
    namespace: form.namespace.trim(),
    name: form.name.trim(),
    description: form.description,
    labels: parseLabels(form.labels),
    executor,
    ...(executor === 'shell' ? { command: form.command } : {}),
    schedule: form.schedule.trim() || null,
    timezone: form.timezone.trim(),
    enabled: form.enabled,
    overlap: form.overlap,
    catch_up: form.catch_up,
    start_deadline_s: form.start_deadline_s,
    timeout_s: form.timeout_s,
    retry: {
      ...before?.retry,
      max_attempts: form.max_attempts,
      delay_s: form.retry_delay_s,
      on: form.retries_lost ? [...on, 'lost'] : on,
    },
    target: { labels: parseLabels(form.target_labels), workers: wordsOf(form.target_workers) },
  }
}

export interface Difference {
  field: string
  theirs: string
  mine: string
}

/** Field by field what differs between the stored definition and mine. */
export function differences(theirs: Definition, mine: Definition): Difference[] {
  const fields = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])]
  return fields.flatMap((field) => {
    const [left, right] = [theirs, mine].map((side) => shownValue((side as Record<string, unknown>)[field]))
    return left === right ? [] : [{ field, theirs: left ?? '', mine: right ?? '' }]
  })
}

/** A value of a definition as text: strings as they are, nothing for null, all else as JSON. */
export function shownValue(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export function labelsAreReadable(text: string): boolean {
  try {
    parseLabels(text)
    return true
  } catch {
    return false
  }
}
