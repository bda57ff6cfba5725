/**
 * How the fields of the editor become a definition. Pure.
 *
 * The form edits a part of a job; whatever it does not know is carried over untouched. What an executor does not
 * use is taken out when the executor changes: the server refuses a command beside a script.
 */
import type { Job, JobDefinition } from '@/api/types'
import { EXECUTORS, MEGABYTE, type JobForm, type OptionalNumber, type ValueRow } from './jobForm'
import { parseLabels } from './labels'
import { instantOf, localText } from './zoned'

/** What is sent: fields that are left out have their defaults. */
export type Definition = Partial<Omit<JobDefinition, 'retry' | 'target' | 'request' | 'limits'>> & {
  name: string
  retry?: Partial<JobDefinition['retry']>
  target?: Partial<JobDefinition['target']>
  request?: Partial<NonNullable<JobDefinition['request']>> | null
  limits?: Partial<NonNullable<JobDefinition['limits']>>
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

function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}

function numbersOf(text: string): number[] {
  return wordsOf(text).map(Number)
}

const orNull = (value: OptionalNumber): number | null => (value === '' ? null : value)
const orElse = (value: OptionalNumber, otherwise: number): number => (value === '' ? otherwise : value)
const textOrNull = (value: string): string | null => (value === '' ? null : value)

function valuesOf(rows: readonly ValueRow[]) {
  return Object.fromEntries(
    rows
      .filter(({ name }) => name.trim())
      .map(({ name, value, secret }) => [
        name.trim(),
        secret ? ({ secret: true, value } as { secret: true; value: string }) : value,
      ]),
  )
}

function isBuiltIn(executor: string): boolean {
  return EXECUTORS.some((known) => known === executor)
}

/** The fields of the executor; those of the other built-in ones are emptied. */
function whatFrom(form: JobForm, before: Definition | null): Partial<Definition> {
  const request = {
    ...before?.request,
    method: form.method,
    url: form.url.trim(),
    headers: valuesOf(form.headers),
    body: textOrNull(form.body),
    expected_status: numbersOf(form.expected_status),
  }
  const own = {
    shell: { command: form.command, shell: form.shell.trim() || '/bin/bash' },
    exec: { argv: form.argv.split('\n').filter((argument) => argument !== '') },
    python: { script: form.script, interpreter: form.interpreter.trim() || 'python3' },
    http: { request },
  }
  if (!isBuiltIn(form.executor)) {
    const options = form.options
      .filter(({ name }) => name.trim())
      .map(({ name, value }) => [name.trim(), value])
    return { options: Object.fromEntries(options) as Record<string, string> }
  }
  const none = { command: null, argv: null, script: null, request: null }
  return { ...none, ...own[form.executor as keyof typeof own] }
}

/** Seconds of a stored instant are kept where the minute one sees was not changed. */
function instantFrom(local: string, zone: string, before: string | null | undefined): string | null {
  if (!local) return null
  if (before && localText(before, zone) === local) return before
  return instantOf(local, zone)
}

function placeFrom(form: JobForm, before: Definition | null): Partial<Definition> {
  return {
    env: valuesOf(form.env),
    user: textOrNull(form.user.trim()),
    cwd: textOrNull(form.cwd.trim()),
    umask: textOrNull(form.umask.trim()),
    stdin: textOrNull(form.stdin),
    success_exit_codes: form.success_exit_codes.trim() ? numbersOf(form.success_exit_codes) : [0],
    limits: {
      ...before?.limits,
      memory_mb: orNull(form.memory_mb),
      nofile: orNull(form.nofile),
      nproc: orNull(form.nproc),
      nice: orNull(form.nice),
    },
    kill_leftovers: form.kill_leftovers,
    max_output_bytes: Math.round(orElse(form.max_output_mb, 10) * MEGABYTE),
    target: {
      ...before?.target,
      labels: parseLabels(form.target_labels),
      workers: wordsOf(form.target_workers),
    },
  }
}

function behaviourFrom(form: JobForm, before: Definition | null): Partial<Definition> {
  return {
    overlap: form.overlap,
    catch_up: form.catch_up,
    catch_up_window_s: orNull(form.catch_up_window_s),
    start_deadline_s: orElse(form.start_deadline_s, 30),
    timeout_s: orElse(form.timeout_s, 0),
    kill_grace_s: orElse(form.kill_grace_s, 10),
    on_lease_loss: form.on_lease_loss || null,
    retry: {
      ...before?.retry,
      max_attempts: orElse(form.max_attempts, 1),
      delay_s: orElse(form.retry_delay_s, 10),
      backoff: orElse(form.retry_backoff, 2),
      max_delay_s: orElse(form.retry_max_delay_s, 600),
      on: form.retry_on,
    },
    history_days: orNull(form.history_days),
    history_runs: orNull(form.history_runs),
  }
}

/** The definition to save: *form* over *before* (the stored job, or the one that is copied). */
export function definitionFrom(form: JobForm, before: Definition | null): Definition {
  const timezone = form.timezone.trim()
  return {
    ...before,
    namespace: form.namespace.trim(),
    name: form.name.trim(),
    description: form.description,
    labels: parseLabels(form.labels),
    executor: form.executor.trim(),
    ...whatFrom(form, before),
    ...placeFrom(form, before),
    schedule: form.schedule.trim() || null,
    timezone,
    enabled: form.enabled,
    starts_at: instantFrom(form.starts_at, timezone, before?.starts_at),
    ends_at: instantFrom(form.ends_at, timezone, before?.ends_at),
    jitter_s: orElse(form.jitter_s, 0),
    ...behaviourFrom(form, before),
  }
}
