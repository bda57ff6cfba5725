/**
 * What a draft keeps of secrets: that they were typed, never what. Pure.
 *
 * The browser's storage can be read by whoever opens the profile later, and ends up in its crash recovery.
 */
import { isSecret, MASK } from './difference'
import type { Definition } from './jobDefinition'
import type { JobForm, ValueRow } from './jobForm'

const FIELDS = ['env', 'headers'] as const

function isTyped({ secret, value }: ValueRow): boolean {
  return secret && value !== '' && value !== MASK
}

/** The names of the secrets that have a value somebody typed. */
export function typedSecrets(form: JobForm): string[] {
  return FIELDS.flatMap((field) => form[field].filter(isTyped).map(({ name }) => name))
}

/** Those of *names* that still stand in *form* without a typed value. */
export function stillMissing(form: JobForm, names: readonly string[]): string[] {
  const rows = FIELDS.flatMap((field) => form[field])
  return names.filter((name) => rows.some((row) => row.secret && row.name === name && !isTyped(row)))
}

/** *form* as it may be stored: a typed secret becomes the one of *stored* again, or empty where there is none. */
export function withoutTypedSecrets(form: JobForm, stored: Definition | null): JobForm {
  const known = { env: stored?.env ?? {}, headers: stored?.request?.headers ?? {} }
  const cleared = (field: (typeof FIELDS)[number]) =>
    form[field].map((row) =>
      isTyped(row) ? { ...row, value: isSecret(known[field][row.name]) ? MASK : '' } : row,
    )
  return { ...form, env: cleared('env'), headers: cleared('headers') }
}
