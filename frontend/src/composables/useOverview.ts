/** What the first page shows, in one answer. */
import { client, unwrap } from '@/api/client'
import { useLiveQuery } from './useLiveQuery'

export function useOverview() {
  return useLiveQuery(['overview'], (signal) => unwrap(client.GET('/api/v1/overview', { signal })), {
    intervalMs: 5_000,
    // Ticks pass and hours begin without an event.
    liveIntervalMs: 15_000,
  })
}
