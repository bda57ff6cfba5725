/**
 * Answers of endpoints that the committed description of the API does not have yet, as the contract of the API
 * names them, and one untyped way to ask for them. Types move to `schema.d.ts` when the endpoints are described.
 */
import { client, unwrap } from './client'

export interface AttentionItem {
  kind: 'failed' | 'missed' | 'lost' | 'timed_out' | 'no_worker' | 'quarantined' | 'late'
  namespace: string
  job: string
  count: number
  at: string | null
  execution_id?: string | null
  reason?: string | null
}

export interface OverviewTiles {
  jobs: number
  enabled: number
  paused: number
  quarantined: number
  running: number
  failed_24h: number
  missed_24h: number
  succeeded_24h: number
  workers_online: number
  workers_draining: number
  workers_offline: number
}

export interface RunningItem {
  id: string
  namespace: string
  job: string
  worker: string | null
  started_at: string | null
  usual_ms: number | null
}

export interface NextItem {
  namespace: string
  job: string
  at: string
  count_within_hour: number
  timezone: string
}

export interface Overview {
  attention: AttentionItem[]
  tiles: OverviewTiles
  running: RunningItem[]
  next: NextItem[]
  success: { at: string; counts: Partial<Record<string, number>>; missed: number }[]
  history_behind: { spooled: number; oldest_at: string | null } | null
}

export interface JobVersion {
  generation: number
  changed_at: string
  changed_by: string
  definition: Record<string, unknown>
  changes: { pointer: string; before: unknown; after: unknown }[]
  is_current: boolean
  deleted?: boolean
}

export interface EligibleWorker {
  worker: string
  status: string
  eligible: boolean
  rank: number | null
  reasons: string[]
}

export interface BatchResult {
  namespace: string
  name: string
  ok: boolean
  code: string | null
  detail: string | null
  execution_id: string | null
}

export interface JobCheck {
  ok: boolean
  problems: { pointer: string; detail: string }[]
  eligible_workers: string[]
  live_workers: number
  warnings: { code: string; text: string }[]
}

export interface AuditEntry {
  seq: number
  at: string
  actor: string
  action: string
  object: string
  outcome: string
  detail: string | null
  request_id: string | null
}

export interface Page<T> {
  items: T[]
  next_page_token: string | null
  total: { count: number; is_exact: boolean } | null
}

interface Options {
  query?: Record<string, unknown>
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

type Ask = (
  path: string,
  options: Record<string, unknown>,
) => Promise<{ data?: unknown; error?: unknown; response: Response }>

/** Ask *path* below `/api/v1`; throws `ApiProblem` like every other question. */
export function ask<T>(method: 'GET' | 'POST', path: string, { query, ...rest }: Options = {}): Promise<T> {
  const asking = client[method] as unknown as Ask
  return unwrap(asking(`/api/v1${path}`, { ...rest, params: { query } })) as Promise<T>
}
