/**
 * The one HTTP client: typed by the API's own description; the browser adds the session's cookie.
 *
 * Knows no store and no page: what a change must carry, and what happens when the session has ended, is told by
 * `connect`.
 */
import createClient from 'openapi-fetch'
import { problemFrom } from '@/lib/problem'
import type { paths } from './schema'

interface Connection {
  /** What proves that a change comes from this page. */
  csrfToken(): string | null
  /** The server answered 401 to a request of the session with *csrfToken*. */
  onSessionEnded(csrfToken: string | null): void
}

let connection: Connection = { csrfToken: () => null, onSessionEnded: () => undefined }

export function connect(given: Connection): void {
  connection = given
}

// `fetch` is looked up at each call so that tests may replace it.
export const client = createClient<paths>({ baseUrl: '', fetch: (request) => globalThis.fetch(request) })

const sentUnder = new WeakMap<Request, string | null>()

/** There a 401 means a wrong password, or is the question itself. */
function isAboutSigningIn(url: string): boolean {
  return new URL(url, location.href).pathname.startsWith('/api/v1/auth/')
}

client.use({
  onRequest({ request }) {
    const csrfToken = connection.csrfToken()
    sentUnder.set(request, csrfToken)
    if (csrfToken && request.method !== 'GET') request.headers.set('X-CSRF-Token', csrfToken)
    return request
  },
  onResponse({ request, response }) {
    if (response.status === 401 && !isAboutSigningIn(request.url)) {
      connection.onSessionEnded(sentUnder.get(request) ?? null)
    }
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

/** A GET outside of JSON (a raw download), in the same session. */
export async function download(path: string): Promise<Blob> {
  const csrfToken = connection.csrfToken()
  const response = await fetch(path)
  if (response.status === 401) connection.onSessionEnded(csrfToken)
  if (!response.ok) throw problemFrom(await response.json().catch(() => null), response)
  return response.blob()
}
