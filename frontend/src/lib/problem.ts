/**
 * What went wrong, in the shape every screen can show: title, detail, request id, fields.
 *
 * Pure. `status` 0 means that no answer came at all.
 */
import type { Problem } from '@/api/types'

type Known = Partial<{ [Field in keyof Problem]: Problem[Field] | null }> & { retryAfterS?: number | null }

export class ApiProblem extends Error {
  readonly status: number
  readonly detail: string | null
  readonly code: string | null
  readonly requestId: string | null
  /** How many seconds the server wants to be left alone. */
  readonly retryAfterS: number | null
  readonly errors: readonly { pointer: string; detail: string }[]

  constructor(problem: Known & { title: string; status: number }) {
    super(problem.title)
    this.name = 'ApiProblem'
    this.status = problem.status
    this.detail = problem.detail ?? null
    this.code = problem.code ?? null
    this.requestId = problem.request_id ?? null
    this.retryAfterS = problem.retryAfterS ?? null
    this.errors = problem.errors ?? []
  }

  /** What the server says about one field of the request, by its JSON pointer. */
  forField(pointer: string): string | null {
    return this.errors.find((error) => error.pointer === pointer)?.detail ?? null
  }
}

/** Any thrown value as a problem; a failed fetch (TypeError) is "no answer". */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  if (error instanceof TypeError) return new ApiProblem({ title: '', status: 0, code: 'no_answer' })
  return new ApiProblem({ title: error instanceof Error ? error.message : String(error), status: 0 })
}

/** The body of an error answer as a problem, also when it is not one (a proxy's page, an empty body). */
export function problemFrom(body: unknown, response: Response): ApiProblem {
  const requestId = response.headers.get('X-Request-ID')
  const retryAfterS = Number(response.headers.get('Retry-After')) || null
  if (body !== null && typeof body === 'object' && 'title' in body && typeof body.title === 'string') {
    const problem = body as Problem
    return new ApiProblem({
      ...problem,
      request_id: problem.request_id ?? requestId,
      status: response.status,
      retryAfterS,
    })
  }
  return new ApiProblem({
    title: `HTTP ${response.status} ${response.statusText}`.trim(),
    status: response.status,
    request_id: requestId,
    retryAfterS,
  })
}
