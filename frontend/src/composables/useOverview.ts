/** What the first page shows, in one answer. */
import { ask, type Overview } from '@/api/contract'
import { useLiveQuery } from './useLiveQuery'

export function useOverview() {
  return useLiveQuery(['overview'], (signal) => ask<Overview>('GET', '/overview', { signal }), {
    intervalMs: 5_000,
  })
}
