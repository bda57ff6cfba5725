/** The account side of the API: who is signed in, users, tokens, audit, the installation itself. */
import { client, unwrap } from './client'
import type { Grant, Right } from '@/lib/rights'
import type { Role } from '@/lib/roles'

export interface RoleGrant {
  role: Role
  namespaces: string[] | null
}

export interface Check {
  name: string
  ok: boolean
  detail: string
}

export interface AuthState {
  /** Null: not known, because MongoDB does not answer; nobody can sign in meanwhile. */
  setup_needed: boolean | null
  signed_in: boolean
  oidc: { name: string; start: string } | null
  password_min: number
  server_time: string
  checks?: Check[]
}

export interface Me {
  name: string
  display_name: string
  kind: 'user' | 'token' | 'admin_token'
  roles: RoleGrant[]
  rights: (Grant & { right: Right })[]
  csrf_token: string | null
  session_expires_at: string | null
  source: 'local' | 'oidc' | null
}

export interface User {
  name: string
  display_name: string
  roles: RoleGrant[]
  enabled: boolean
  source: 'local' | 'oidc'
  created_at: string
  created_by: string
  last_login_at: string | null
  password_changed_at: string | null
  sessions: number
}

export interface UserToSave {
  name: string
  display_name: string
  roles: RoleGrant[]
  password?: string
}

export interface TokenInfo {
  id: string
  name: string
  owner: string
  role: Role
  namespaces: string[] | null
  created_at: string
  expires_at: string | null
  last_used_at: string | null
  expired: boolean
}

export interface TokenToCreate {
  name: string
  role: Role
  namespaces: string[] | null
  expires_in_days: number | null
}

export interface AuditEntry {
  seq: number
  at: string
  actor: string
  actor_kind: string
  client: string | null
  action: string
  object: string
  namespace: string | null
  outcome: 'done' | 'refused' | 'failed'
  detail: string | null
  before: unknown
  after: unknown
  request_id: string | null
}

export interface AuditProof {
  ok: boolean
  checked: number
  first_seq: number | null
  last_seq: number | null
  broken_at: number | null
  detail: string | null
}

export interface Cluster {
  masters: { id: string; address: string | null; version: string; started_at: string; self: boolean }[]
  etcd: {
    version: string | null
    endpoints: string[]
    db_size_bytes: number | null
    quota_bytes: number | null
    revision: number | null
    ok: boolean
    detail: string | null
  }
  mongodb: { version: string | null; ok: boolean; detail: string | null; database: string }
  clock: { offset_ms: number | null }
  retention: { history_days: number; audit_days: number }
  config: { key: string; value: unknown; origin: string }[]
}

export interface WorkerSetup {
  config: Record<string, unknown>
  files: { name: string; text: string }[]
  commands: { title: string; text: string }[]
  notes: string[]
}

export interface Page<T> {
  items: T[]
  next_page_token: string | null
  total: { count: number; is_exact: boolean } | null
}

interface Asked {
  query?: Record<string, string | number | boolean | undefined>
  body?: object
  headers?: Record<string, string>
  signal?: AbortSignal
}
type Method = 'GET' | 'POST' | 'DELETE'
type Call = (path: string, init: object) => Promise<{ data?: unknown; error?: unknown; response: Response }>

async function ask<T>(
  method: Method,
  path: string,
  { query, body, headers, signal }: Asked = {},
): Promise<T> {
  const call = client[method] as unknown as Call
  return (await unwrap(call(`/api/v1${path}`, { params: { query }, body, headers, signal }))) as T
}

const of = (name: string) => encodeURIComponent(name)

export const auth = {
  state: (signal?: AbortSignal) => ask<AuthState>('GET', '/auth/state', { signal }),
  me: (signal?: AbortSignal) => ask<Me>('GET', '/auth/me', { signal }),
  signIn: (username: string, password: string) =>
    ask<Me>('POST', '/auth/login', { body: { username, password } }),
  setUp: (body: { token: string; username: string; password: string; display_name?: string }) =>
    ask<Me>('POST', '/auth/setup', { body }),
  signOut: () => ask<unknown>('POST', '/auth/logout', { body: {} }),
  changePassword: (current: string, next: string) =>
    ask<unknown>('POST', '/auth/password', { body: { current, new: next } }),
}

export const users = {
  list: (query: Asked['query'], signal: AbortSignal) =>
    ask<Page<User>>('GET', '/user/list', { query, signal }),
  save: (body: UserToSave, isNew: boolean) =>
    ask<User>('POST', '/user/save', { body, headers: isNew ? { 'If-None-Match': '*' } : {} }),
  remove: (name: string) => ask<unknown>('DELETE', `/user/${of(name)}`),
  setPassword: (name: string, next: string) =>
    ask<unknown>('POST', `/user/${of(name)}/password`, { body: { new: next } }),
  setEnabled: (name: string, enabled: boolean) =>
    ask<User>('POST', `/user/${of(name)}/${enabled ? 'enable' : 'disable'}`, { body: {} }),
  signOut: (name: string) => ask<{ ended: number }>('POST', `/user/${of(name)}/sign-out`, { body: {} }),
}

export const tokens = {
  list: (all: boolean, signal: AbortSignal) =>
    ask<Page<TokenInfo>>('GET', '/token/list', { query: { all: all || undefined }, signal }),
  create: (body: TokenToCreate) => ask<{ token: string; info: TokenInfo }>('POST', '/token/create', { body }),
  remove: (id: string) => ask<unknown>('DELETE', `/token/${of(id)}`),
}

export const audit = {
  list: (query: Asked['query'], signal: AbortSignal) =>
    ask<Page<AuditEntry>>('GET', '/audit/list', { query, signal }),
  verify: () => ask<AuditProof>('GET', '/audit/verify'),
}

export const installation = {
  cluster: (signal: AbortSignal) => ask<Cluster>('GET', '/cluster', { signal }),
  workerSetup: (signal: AbortSignal) => ask<WorkerSetup>('GET', '/worker/setup', { signal }),
}
