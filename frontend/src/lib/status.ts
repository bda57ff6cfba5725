/**
 * What an execution or a tick can be, and how it is shown. Pure.
 *
 * A status is always icon, word, hue and shape together: no one of them carries the meaning alone.
 */

export const STATUSES = [
  'scheduled',
  'queued',
  'claimed',
  'running',
  'succeeded',
  'failed',
  'timed_out',
  'killed',
  'skipped',
  'missed',
  'lost',
] as const

export type Status = (typeof STATUSES)[number]

export const EXECUTION_STATUSES = ['running', 'succeeded', 'failed', 'timed_out', 'killed', 'lost'] as const

/** What the list of jobs can be filtered by. */
export const JOB_STATUSES = [...EXECUTION_STATUSES, 'never_run', 'quarantined'] as const

export const JOB_ORDERS = ['name', '-name', 'next_tick', '-next_tick', 'last_run', '-last_run'] as const

/** The members of *known* that *text* names, separated by commas; undefined where it names none. */
export function oneOf<T extends string>(known: readonly T[], text: string | undefined): T[] | undefined {
  const named = text?.split(',') ?? []
  const found = known.filter((member) => named.includes(member))
  return found.length ? found : undefined
}

export const CAUSES = ['schedule', 'catch_up', 'manual', 'retry', 'queued'] as const

export const REASONS = [
  'overlap',
  'changed',
  'paused',
  'deadline',
  'downtime',
  'no_worker',
  'no_slot',
  'coordination',
  'clock',
  'requested',
  'replaced',
  'shutdown',
  'before_start',
  'worker_gone',
  'lease',
  'fenced',
  'exit_code',
  'signal',
  'spawn',
  'timeout',
] as const

/** A status this page knows; anything newer is shown as `lost` would be: unknown. */
export function asStatus(value: string | null | undefined): Status {
  return STATUSES.find((status) => status === value) ?? 'lost'
}

export function isLive(status: string): boolean {
  return status === 'running' || status === 'claimed' || status === 'queued'
}

export function needsAttention(status: string): boolean {
  return status === 'failed' || status === 'timed_out' || status === 'lost' || status === 'missed'
}

/**
 * The key of the sentence that explains an exit code, below `exit.` in the messages; null for an ordinary one.
 */
export function exitMeaning(exitCode: number | null | undefined): string | null {
  switch (exitCode) {
    case 126:
      return 'not_executable'
    case 127:
      return 'not_found'
    case 130:
      return 'interrupted'
    case 137:
      return 'killed'
    case 139:
      return 'segfault'
    case 143:
      return 'terminated'
    default:
      return null
  }
}
