/**
 * Answers of endpoints that the committed description of the API does not have yet, as the contract of the API
 * names them, and one untyped way to ask for them. Types move to `schema.d.ts` when the endpoints are described.
 */
import { client, unwrap } from './client'

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
