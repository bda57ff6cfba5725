/**
 * The job editor's fields: texts and rows as one types them. Pure.
 *
 * A number field that is left empty holds an empty string, as the browser gives it: "the default".
 */
import type { Job } from '@/api/types'
import { isSecret, MASK } from './difference'
import { labelsText } from './labels'
import { localText } from './zoned'

export const EXECUTORS = ['shell', 'exec', 'python', 'http'] as const
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export const RETRIED = ['failed', 'timed_out', 'lost'] as const

export type OptionalNumber = number | ''

/** A name and its value; a secret value is stored masked, and kept until another one is typed. */
export interface ValueRow {
  name: string
  value: string
  secret: boolean
}

export interface JobForm {
  namespace: string
  name: string
  description: string
  labels: string
  executor: string
  command: string
  /** One argument a line. */
  argv: string
  script: string
  shell: string
  interpreter: string
  method: (typeof METHODS)[number]
  url: string
  headers: ValueRow[]
  body: string
  expected_status: string
  options: ValueRow[]
  env: ValueRow[]
  user: string
  cwd: string
  umask: string
  stdin: string
  success_exit_codes: string
  memory_mb: OptionalNumber
  nofile: OptionalNumber
  nproc: OptionalNumber
  nice: OptionalNumber
  kill_leftovers: boolean
  schedule: string
  timezone: string
  enabled: boolean
  /** `2026-03-29T03:00`, in the zone of the job. */
  starts_at: string
  ends_at: string
  jitter_s: OptionalNumber
  target_labels: string
  target_workers: string
  overlap: 'allow' | 'skip' | 'queue_one' | 'replace'
  catch_up: 'none' | 'last' | 'all'
  catch_up_window_s: OptionalNumber
  start_deadline_s: OptionalNumber
  timeout_s: OptionalNumber
  kill_grace_s: OptionalNumber
  on_lease_loss: '' | 'kill' | 'continue'
  max_attempts: OptionalNumber
  retry_delay_s: OptionalNumber
  retry_backoff: OptionalNumber
  retry_max_delay_s: OptionalNumber
  retry_on: (typeof RETRIED)[number][]
  history_days: OptionalNumber
  history_runs: OptionalNumber
  max_output_mb: OptionalNumber
}

export function emptyForm(timezone: string): JobForm {
  return {
    namespace: 'default',
    name: '',
    description: '',
    labels: '',
    executor: 'shell',
    command: '',
    argv: '',
    script: '',
    shell: '/bin/bash',
    interpreter: 'python3',
    method: 'GET',
    url: '',
    headers: [],
    body: '',
    expected_status: '',
    options: [],
    env: [],
    user: '',
    cwd: '',
    umask: '',
    stdin: '',
    success_exit_codes: '0',
    memory_mb: '',
    nofile: '',
    nproc: '',
    nice: '',
    kill_leftovers: true,
    schedule: '*/5 * * * *',
    timezone,
    enabled: true,
    starts_at: '',
    ends_at: '',
    jitter_s: 0,
    target_labels: '',
    target_workers: '',
    overlap: 'skip',
    catch_up: 'last',
    catch_up_window_s: '',
    start_deadline_s: 30,
    timeout_s: 3600,
    kill_grace_s: 10,
    on_lease_loss: '',
    max_attempts: 1,
    retry_delay_s: 10,
    retry_backoff: 2,
    retry_max_delay_s: 600,
    retry_on: ['failed', 'timed_out'],
    history_days: '',
    history_runs: '',
    max_output_mb: 10,
  }
}

export const MEGABYTE = 1024 * 1024

function rowsOf(values: Record<string, unknown> | undefined): ValueRow[] {
  return Object.entries(values ?? {}).map(([name, value]) =>
    isSecret(value)
      ? { name, value: value.value, secret: true }
      : { name, value: String(value), secret: false },
  )
}

function whatOf(job: Job): Partial<JobForm> {
  return {
    executor: job.executor,
    command: job.command ?? '',
    argv: (job.argv ?? []).join('\n'),
    script: job.script ?? '',
    shell: job.shell,
    interpreter: job.interpreter,
    method: job.request?.method ?? 'GET',
    url: job.request?.url ?? '',
    headers: rowsOf(job.request?.headers),
    body: job.request?.body ?? '',
    expected_status: (job.request?.expected_status ?? []).join(', '),
    options: rowsOf(job.options),
    env: rowsOf(job.env),
    user: job.user ?? '',
    cwd: job.cwd ?? '',
    umask: job.umask ?? '',
    stdin: job.stdin ?? '',
    success_exit_codes: job.success_exit_codes.join(', '),
    memory_mb: job.limits.memory_mb ?? '',
    nofile: job.limits.nofile ?? '',
    nproc: job.limits.nproc ?? '',
    nice: job.limits.nice ?? '',
    kill_leftovers: job.kill_leftovers,
    max_output_mb: job.max_output_bytes / MEGABYTE,
  }
}

function behaviourOf(job: Job): Partial<JobForm> {
  return {
    overlap: job.overlap,
    catch_up: job.catch_up,
    catch_up_window_s: job.catch_up_window_s ?? '',
    start_deadline_s: job.start_deadline_s,
    timeout_s: job.timeout_s,
    kill_grace_s: job.kill_grace_s,
    on_lease_loss: job.on_lease_loss ?? '',
    max_attempts: job.retry.max_attempts ?? 1,
    retry_delay_s: job.retry.delay_s ?? 10,
    retry_backoff: job.retry.backoff ?? 2,
    retry_max_delay_s: job.retry.max_delay_s ?? 600,
    retry_on: job.retry.on ?? ['failed', 'timed_out'],
    history_days: job.history_days ?? '',
    history_runs: job.history_runs ?? '',
  }
}

export function formOf(job: Job): JobForm {
  return {
    ...emptyForm(job.timezone),
    ...whatOf(job),
    ...behaviourOf(job),
    namespace: job.namespace,
    name: job.name,
    description: job.description,
    labels: labelsText(job.labels),
    schedule: job.schedule ?? '',
    enabled: job.enabled,
    starts_at: job.starts_at ? localText(job.starts_at, job.timezone) : '',
    ends_at: job.ends_at ? localText(job.ends_at, job.timezone) : '',
    jitter_s: job.jitter_s,
    target_labels: labelsText(job.target.labels ?? {}),
    target_workers: (job.target.workers ?? []).join(', '),
  }
}

/** For a copy: its secrets are another job's, which nobody can read back, so they must be typed again. */
export function withoutSecrets(form: JobForm): JobForm {
  const emptied = (rows: ValueRow[]) =>
    rows.map((row) => (row.secret && row.value === MASK ? { ...row, value: '' } : row))
  return { ...form, env: emptied(form.env), headers: emptied(form.headers) }
}
