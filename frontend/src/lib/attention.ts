/** How what needs attention is shown: grouped by kind, the most urgent kind first. Pure. */
import type { Attention } from '@/api/types'
import type { Status } from './status'

/** In the order of urgency: what cannot run at all, then what went wrong. */
export const ATTENTION_KINDS = [
  'quarantined',
  'no_worker',
  'lost',
  'failed',
  'timed_out',
  'missed',
  'late',
] as const

export type AttentionKind = (typeof ATTENTION_KINDS)[number]

export interface AttentionGroup {
  kind: AttentionKind
  /** The status whose icon, hue and shape the group has. */
  status: Status
  items: Attention[]
  /** Occurrences, over all jobs of the group. */
  count: number
}

const LOOKS: Record<AttentionKind, Status> = {
  quarantined: 'missed',
  no_worker: 'missed',
  lost: 'lost',
  failed: 'failed',
  timed_out: 'timed_out',
  missed: 'missed',
  late: 'queued',
}

export function groupAttention(items: readonly Attention[]): AttentionGroup[] {
  return ATTENTION_KINDS.flatMap((kind) => {
    const own = items.filter((item) => item.kind === kind)
    if (own.length === 0) return []
    const newestFirst = [...own].sort((a, b) => (b.at ?? '').localeCompare(a.at ?? ''))
    return [
      {
        kind,
        status: LOOKS[kind],
        items: newestFirst,
        count: own.reduce((sum, { count }) => sum + count, 0),
      },
    ]
  })
}
