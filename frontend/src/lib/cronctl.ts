/** What one sees in a list, as the command that prints the same. Pure. */

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

export interface JobListState {
  q?: string
  namespace?: string
  label?: string
  enabled?: string
  status?: string
}

export function jobListCommand({ q, namespace, label, enabled, status }: JobListState): string {
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

export const workerListCommand = (): string => cronctl('worker', 'list')
