/**
 * The draft of a job: kept in sessionStorage until it is saved, so that neither a reload nor an error loses it. Typed
 * secrets are not: only their names, so that one is told to type them again.
 *
 * Saving a job that somebody else changed meanwhile does not overwrite: the stored version comes back as
 * `conflict`, and only `save({ overwrite: true })` replaces it.
 */
import { useQueryClient } from '@tanstack/vue-query'
import { computed, ref, shallowRef, watch } from 'vue'
import { client, unwrap } from '@/api/client'
import type { Job, JobDefinition } from '@/api/types'
import { differences } from '@/lib/difference'
import { stillMissing, typedSecrets, withoutTypedSecrets } from '@/lib/draftSecrets'
import { definitionFrom, definitionOf, type Definition } from '@/lib/jobDefinition'
import { emptyForm, formOf, withoutSecrets, type JobForm } from '@/lib/jobForm'
import { labelsAreReadable } from '@/lib/labels'
import { asProblem, type ApiProblem } from '@/lib/problem'
import { usePreferences } from '@/stores/preferences'
import type { JobRef } from './useJobs'

interface Draft {
  form: JobForm
  revision: number | null
  before: Definition | null
  /** Names of secrets that were typed. */
  secrets?: string[]
}

function keyOf(edited: JobRef | null, copiedFrom: JobRef | null): string {
  if (edited) return `everytick.draft.${edited.namespace}/${edited.name}`
  return copiedFrom
    ? `everytick.draft.copy.${copiedFrom.namespace}/${copiedFrom.name}`
    : 'everytick.draft.new'
}

export function useJobEditor(
  edited: JobRef | null,
  copiedFrom: JobRef | null,
  /** What a new job starts with, beyond the empty form. */
  start: Partial<JobForm> = {},
) {
  const key = keyOf(edited, copiedFrom)
  const queries = useQueryClient()
  const form = ref<JobForm>({ ...emptyForm(usePreferences().zone), ...start })
  const before = shallowRef<Definition | null>(null)
  const revision = ref<number | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)
  const loadProblem = shallowRef<ApiProblem | null>(null)
  const conflict = shallowRef<Job | null>(null)
  const isLoading = ref(false)
  const isSaving = ref(false)
  const isDraft = ref(false)
  const forgotten = ref<string[]>([])
  let pristine = JSON.stringify(form.value)

  function take(next: Draft): void {
    // A draft of an older page has fewer fields.
    form.value = { ...emptyForm(next.form.timezone), ...next.form }
    before.value = next.before
    revision.value = next.revision
    forgotten.value = next.secrets ?? []
  }

  async function read({ name, namespace }: JobRef): Promise<Job> {
    return unwrap(client.GET('/api/v1/job/{name}', { params: { path: { name }, query: { namespace } } }))
  }

  async function load(): Promise<void> {
    isLoading.value = true
    loadProblem.value = null
    try {
      const source = edited ?? copiedFrom
      if (source) {
        const job = await read(source)
        const copied = edited ? formOf(job) : { ...withoutSecrets(formOf(job)), name: `${job.name}-copy` }
        take({ form: copied, before: definitionOf(job), revision: edited ? job.revision : null })
      }
      pristine = JSON.stringify(form.value)
      const kept = sessionStorage.getItem(key)
      if (kept) {
        take(JSON.parse(kept) as Draft)
        isDraft.value = true
      }
    } catch (error) {
      loadProblem.value = asProblem(error)
    } finally {
      isLoading.value = false
    }
  }

  /** Secrets that were typed before a reload and are not there any more. */
  const secretsToType = computed(() => stillMissing(form.value, forgotten.value))

  watch(
    form,
    (now) => {
      if (isLoading.value || JSON.stringify(now) === pristine) return
      const draft: Draft = {
        form: withoutTypedSecrets(now, edited ? before.value : null),
        revision: revision.value,
        before: before.value,
        secrets: [...new Set([...typedSecrets(now), ...secretsToType.value])],
      }
      sessionStorage.setItem(key, JSON.stringify(draft))
    },
    { deep: true },
  )

  /** Forget the draft and start again from what is stored. */
  async function discard(): Promise<void> {
    sessionStorage.removeItem(key)
    isDraft.value = false
    forgotten.value = []
    problem.value = null
    conflict.value = null
    if (!edited && !copiedFrom) form.value = emptyForm(usePreferences().zone)
    await load()
  }

  const isReadable = computed(
    () => labelsAreReadable(form.value.labels) && labelsAreReadable(form.value.target_labels),
  )
  /** What would be sent; null while something in the form cannot be read. */
  const definition = computed(() => (isReadable.value ? definitionFrom(form.value, before.value) : null))

  /** The saved job, or null: then `problem` or `conflict` says why. */
  async function save({ overwrite = false } = {}): Promise<Job | null> {
    if (!definition.value) return null
    isSaving.value = true
    problem.value = null
    const guard: Record<string, string> = edited
      ? { 'If-Match': `"${(overwrite ? conflict.value?.revision : null) ?? revision.value}"` }
      : { 'If-None-Match': '*' }
    try {
      const body = definition.value as JobDefinition
      const job = await unwrap(client.POST('/api/v1/job/save', { body, headers: guard }))
      sessionStorage.removeItem(key)
      pristine = JSON.stringify(form.value)
      conflict.value = null
      for (const list of ['jobs', 'job', 'overview']) void queries.invalidateQueries({ queryKey: [list] })
      return job
    } catch (error) {
      const found = asProblem(error)
      if (found.status === 412 && edited) conflict.value = await read(edited).catch(() => null)
      if (!conflict.value || found.status !== 412) problem.value = found
      return null
    } finally {
      isSaving.value = false
    }
  }

  /** Mine against what somebody else stored meanwhile. */
  const compared = computed(() =>
    conflict.value && definition.value ? differences(definitionOf(conflict.value), definition.value) : [],
  )
  /** Mine against what was stored when it was opened: what saving would change. */
  const changes = computed(() =>
    before.value && definition.value ? differences(before.value, definition.value) : [],
  )

  void load()

  return {
    form,
    before,
    definition,
    problem,
    loadProblem,
    conflict,
    compared,
    changes,
    isLoading,
    isSaving,
    isDraft,
    secretsToType,
    isReadable,
    load,
    save,
    discard,
  }
}
