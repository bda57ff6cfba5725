/** The workers of this installation. */
import { client, unwrap } from '@/api/client'
import { useLiveQuery } from './useLiveQuery'

export function useWorkerList() {
  return useLiveQuery(['workers'], (signal) => unwrap(client.GET('/api/v1/worker/list', { signal })), {
    intervalMs: 4_000,
    // No event tells how busy a worker's host is.
    liveIntervalMs: 10_000,
  })
}
