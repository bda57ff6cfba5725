/** The account side of the API: who is signed in, users, tokens, audit, the installation itself. */
import type { TokenToCreate, UserToSave } from './types'
import { client, unwrap } from './client'
import type { paths } from './schema'

type QueryOf<Path extends keyof paths> = paths[Path] extends { get: { parameters: { query?: infer Q } } }
  ? Q
  : never

const of = (name: string) => ({ params: { path: { name } } })

export const auth = {
  state: (signal?: AbortSignal) => unwrap(client.GET('/api/v1/auth/state', { signal })),
  me: (signal?: AbortSignal) => unwrap(client.GET('/api/v1/auth/me', { signal })),
  signIn: (username: string, password: string) =>
    unwrap(client.POST('/api/v1/auth/login', { body: { username, password } })),
  setUp: (body: { token: string; username: string; password: string; display_name?: string }) =>
    unwrap(client.POST('/api/v1/auth/setup', { body })),
  signOut: () => unwrap(client.POST('/api/v1/auth/logout')),
  changePassword: (current: string, next: string) =>
    unwrap(client.POST('/api/v1/auth/password', { body: { current, new: next } })),
}

export const users = {
  list: (query: QueryOf<'/api/v1/user/list'>, signal: AbortSignal) =>
    unwrap(client.GET('/api/v1/user/list', { params: { query }, signal })),
  save: (body: UserToSave, isNew: boolean) =>
    unwrap(client.POST('/api/v1/user/save', { body, headers: isNew ? { 'If-None-Match': '*' } : {} })),
  remove: (name: string) => unwrap(client.DELETE('/api/v1/user/{name}', of(name))),
  setPassword: (name: string, next: string) =>
    unwrap(client.POST('/api/v1/user/{name}/password', { ...of(name), body: { new: next } })),
  setEnabled: (name: string, enabled: boolean) =>
    unwrap(
      enabled
        ? client.POST('/api/v1/user/{name}/enable', of(name))
        : client.POST('/api/v1/user/{name}/disable', of(name)),
    ),
  signOut: (name: string) => unwrap(client.POST('/api/v1/user/{name}/sign-out', of(name))),
}

export const tokens = {
  list: (all: boolean, signal: AbortSignal) =>
    unwrap(client.GET('/api/v1/token/list', { params: { query: { all } }, signal })),
  create: (body: TokenToCreate) => unwrap(client.POST('/api/v1/token/create', { body })),
  remove: (id: string) =>
    unwrap(client.DELETE('/api/v1/token/{token_id}', { params: { path: { token_id: id } } })),
}

export const audit = {
  list: (query: QueryOf<'/api/v1/audit/list'>, signal: AbortSignal) =>
    unwrap(client.GET('/api/v1/audit/list', { params: { query }, signal })),
  verify: () => unwrap(client.GET('/api/v1/audit/verify')),
}

export const installation = {
  cluster: (signal: AbortSignal) => unwrap(client.GET('/api/v1/cluster', { signal })),
  workerSetup: (signal: AbortSignal) => unwrap(client.GET('/api/v1/worker/setup', { signal })),
}
