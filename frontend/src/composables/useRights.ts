/**
 * What the one who is signed in may do, to hide or disable the rest.
 *
 * `may('operate', job.namespace)` for one thing, `may('edit')` for a button that leads to a choice of namespaces,
 * `mayEverywhere('administer')` for what belongs to the whole installation.
 */
import { isGranted, isGrantedEverywhere, type Right } from '@/lib/rights'
import { useSession } from '@/stores/session'

export function useRights() {
  const session = useSession()
  return {
    may: (right: Right, namespace?: string) =>
      session.rights === null || isGranted(session.rights, right, namespace),
    mayEverywhere: (right: Right) => session.rights === null || isGrantedEverywhere(session.rights, right),
  }
}
