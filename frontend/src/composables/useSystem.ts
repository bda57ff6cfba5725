/** Version and store of this installation, for the footer. */
import { client, unwrap } from '@/api/client'
import { useLiveQuery } from './useLiveQuery'

export function useVersion() {
  return useLiveQuery(['version'], (signal) => unwrap(client.GET('/api/v1/version', { signal })), {
    intervalMs: 60_000,
  })
}
