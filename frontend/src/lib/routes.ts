/** The addresses of the pages, as functions. Pure. */
import type { LocationQueryRaw, RouteLocationRaw } from 'vue-router'

export const toOverview = (): RouteLocationRaw => ({ name: 'overview' })

export const toJobs = (query: LocationQueryRaw = {}): RouteLocationRaw => ({ name: 'jobs', query })

export const toJob = (job: { namespace: string; name: string }): RouteLocationRaw => ({
  name: 'job',
  params: { namespace: job.namespace, name: job.name },
})

export const toNewJob = (): RouteLocationRaw => ({ name: 'job-new' })

/** A new job that starts as a copy of *job*. */
export const toDuplicateJob = (job: { namespace: string; name: string }): RouteLocationRaw => ({
  name: 'job-new',
  query: { from: `${job.namespace}/${job.name}` },
})

export const toEditJob = (job: { namespace: string; name: string }): RouteLocationRaw => ({
  name: 'job-edit',
  params: { namespace: job.namespace, name: job.name },
})

export const toExecutions = (query: LocationQueryRaw = {}): RouteLocationRaw => ({
  name: 'executions',
  query,
})

export const toExecution = (id: string): RouteLocationRaw => ({ name: 'execution', params: { id } })

/** With `add` the dialog that adds a worker is open. */
export const toWorkers = (query: LocationQueryRaw = {}): RouteLocationRaw => ({ name: 'workers', query })

export const toWorker = (id: string): RouteLocationRaw => ({ name: 'worker', params: { id } })

export const toTimeline = (query: LocationQueryRaw = {}): RouteLocationRaw => ({ name: 'timeline', query })

export const toAccount = (): RouteLocationRaw => ({ name: 'account' })

export type AdminPart = 'users' | 'tokens' | 'audit' | 'cluster'

export const toAdmin = (part: AdminPart = 'users', query: LocationQueryRaw = {}): RouteLocationRaw => ({
  name: `admin-${part}`,
  query,
})

/** A new job whose fields are filled in with something that runs anywhere. */
export const toSampleJob = (): RouteLocationRaw => ({ name: 'job-new', query: { sample: 'hello' } })

/** The page one is asked to sign in on; *back* is where one was going. */
export const toSignIn = (back?: string): RouteLocationRaw => ({
  name: 'sign-in',
  query: back && back !== '/' ? { back } : {},
})

/** *back* if it is a path of this dashboard; anything else could send one to a foreign page. */
export function safeReturnPath(back: unknown): string {
  return typeof back === 'string' && /^\/(?![/\\])/.test(back) ? back : '/'
}
