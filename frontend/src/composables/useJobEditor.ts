/**
 * The draft of a job: kept in sessionStorage until it is saved, so that neither a reload nor an error loses it.
 *
 * Saving a job that somebody else changed meanwhile does not overwrite: the stored version comes back as
 * `conflict`, and only `save({ overwrite: true })` replaces it.
 */
import { useQueryClient } from '@tanstack/vue-query'
import { computed, ref, shallowRef, watch } from 'vue'
import { client, unwrap } from '@/api/client'
import type { Job, JobDefinition } from '@/api/types'
import {
  definitionFrom,
  definitionOf,
  differences,
  emptyForm,
  formOf,
  type Definition,
  type JobForm,
} from '@/lib/jobForm'
import { asProblem, type ApiProblem } from '@/lib/problem'
import { usePreferences } from '@/stores/preferences'
import type { JobRef } from './useJobs'

interface Draft {
  form: JobForm
  revision: number | null
  before: Definition | null
}

export function useJobEditor(edited: JobRef | null, copiedFrom: JobRef | null) {
  const key = `everytick.draft.${edited ? `${edited.namespace}/${edited.name}` : 'new'}`
  const queries = useQueryClient()
  const form = ref<JobForm>(emptyForm(usePreferences().zone))
  const before = shallowRef<Definition | null>(null)
  const revision = ref<number | null>(null)
  const problem = shallowRef<ApiProblem | null>(null)
  const loadProblem = shallowRef<ApiProblem | null>(null)
  const conflict = shallowRef<Job | null>(null)
  const isLoading = ref(false)
  const isSaving = ref(false)
  const isDraft = ref(false)
  let pristine = JSON.stringify(form.value)

  function take(next: Draft): void {
    form.value = next.form
    before.value = next.before
    revision.value = next.revision
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
        const copied = { ...formOf(job), ...(edited ? {} : { name: `${job.name}-copy` }) }
        take({ form: copied, before: definitionOf(job), revision: edited ? job.revision : null })
      }
      pristine = JSON.stringify(form.value)
      const kept = sessionStorage.getItem(key)
      if (kept && !copiedFrom) {
        take(JSON.parse(kept) as Draft)
        isDraft.value = true
      }
    } catch (error) {
      loadProblem.value = asProblem(error)
    } finally {
      isLoading.value = false
    }
  }

  watch(
    form,
    (now) => {
      if (isLoading.value || JSON.stringify(now) === pristine) return
      const draft: Draft = { form: now, revision: revision.value, before: before.value }
      sessionStorage.setItem(key, JSON.stringify(draft))
    },
    { deep: true },
  )

  /** Forget the draft and start again from what is stored. */
  async function discard(): Promise<void> {
    sessionStorage.removeItem(key)
    isDraft.value = false
    problem.value = null
    conflict.value = null
    if (!edited && !copiedFrom) form.value = emptyForm(usePreferences().zone)
    await load()
  }

  /** The saved job, or null: then `problem` or `conflict` says why. */
  async function save({ overwrite = false } = {}): Promise<Job | null> {
    isSaving.value = true
    problem.value = null
    const definition = definitionFrom(form.value, before.value) as JobDefinition
    const guard: Record<string, string> = edited
      ? { 'If-Match': `"${(overwrite ? conflict.value?.revision : null) ?? revision.value}"` }
      : { 'If-None-Match': '*' }
    try {
      const job = await unwrap(client.POST('/api/v1/job/save', { body: definition, headers: guard }))
      sessionStorage.removeItem(key)
      pristine = JSON.stringify(form.value)
      conflict.value = null
      void queries.invalidateQueries({ queryKey: ['jobs'] })
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

  const compared = computed(() =>
    conflict.value ? differences(definitionOf(conflict.value), definitionFrom(form.value, before.value)) : [],
  )

  void load()

  return {
    form,
    before,
    problem,
    loadProblem,
    conflict,
    compared,
    isLoading,
    isSaving,
    isDraft,
    load,
    save,
    discard,
  }
}
