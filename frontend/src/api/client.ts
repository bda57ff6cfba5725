/**
 * The one HTTP client: typed by the API's own description, with the token on every request.
 *
 * Knows no store and no page: who holds the token, and what happens when it is refused, is told by `connect`.
 */
import createClient from 'openapi-fetch'
import { problemFrom } from '@/lib/problem'
import type { paths } from './schema'

interface Credentials {
  token(): string | null
  /** The server answered 401 to a request that carried *token*. */
  onRefused(token: string | null): void
}

let credentials: Credentials = { token: () => null, onRefused: () => undefined }

export function connect(given: Credentials): void {
  credentials = given
}

// `fetch` is looked up at each call so that tests may replace it.
export const client = createClient<paths>({ baseUrl: '', fetch: (request) => globalThis.fetch(request) })

const sentTokens = new WeakMap<Request, string | null>()

client.use({
  onRequest({ request }) {
    const token = credentials.token()
    sentTokens.set(request, token)
    if (token) request.headers.set('Authorization', `Bearer ${token}`)
    return request
  },
  onResponse({ request, response }) {
    if (response.status === 401) credentials.onRefused(sentTokens.get(request) ?? null)
  },
})

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The data of an answer; throws `ApiProblem` for every answer that is not 2xx. */
export async function unwrap<T>(pending: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await pending
  if (!response.ok) throw problemFrom(error, response)
  return data as T
}

/** A GET outside of JSON (a raw download), with the same token. */
export async function download(path: string): Promise<Blob> {
  const token = credentials.token()
  const response = await fetch(path, { headers: token ? { Authorization: `Bearer ${token}` } : {} })
  if (response.status === 401) credentials.onRefused(token)
  if (!response.ok) throw problemFrom(await response.json().catch(() => null), response)
  return response.blob()
}
