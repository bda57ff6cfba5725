/** What one sees in a list, as the command that prints the same. Pure. */
import type { ExecutionFilters, JobFilters } from './listFilters'

export type CommandPart =
  string | { option: string; value: string | undefined } | { flag: string; on: boolean }

/** *text* as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`
}

/** `cronctl` and its parts; options without a value and flags that are off are left out. */
export function cronctl(...parts: CommandPart[]): string {
  const words = parts.flatMap((part) => {
    if (typeof part === 'string') return part ? [shellWord(part)] : []
    if ('flag' in part) return part.on ? [part.flag] : []
    return part.value ? [part.option, shellWord(part.value)] : []
  })
  return ['cronctl', ...words].join(' ')
}

export function jobListCommand({ q, namespace, label, enabled, status }: JobFilters): string {
  return cronctl(
    'job',
    'list',
    { option: '--namespace', value: namespace },
    ...(label?.split(',') ?? []).map((value) => ({ option: '--label', value: value.trim() })),
    { flag: '--enabled', on: enabled === 'true' },
    { flag: '--disabled', on: enabled === 'false' },
    { option: '--status', value: status },
    // After the options: a search that starts with a dash must not be read as one.
    ...(q?.startsWith('-') ? ['--'] : []),
    q ?? '',
  )
}

export function executionListCommand(filters: ExecutionFilters): string {
  const { job, namespace, worker, status, cause, from, to } = filters
  return cronctl(
    'execution',
    'list',
    job ?? '',
    { option: '--namespace', value: namespace },
    { option: '--worker', value: worker },
    ...(status?.split(',') ?? []).map((value) => ({ option: '--status', value })),
    { option: '--cause', value: cause },
    { option: '--from', value: from },
    { option: '--to', value: to },
  )
}

/** The namespace is named even where it is the usual one: the command may be pasted anywhere. */
export function ledgerCommand(job: { namespace: string; name: string }, kind?: string): string {
  return cronctl(
    'job',
    'ledger',
    job.name,
    { option: '--namespace', value: job.namespace },
    { option: '--kind', value: kind },
  )
}

export const workerListCommand = (): string => cronctl('worker', 'list')
