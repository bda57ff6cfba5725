/** Who may do what. Pure. The server decides; this only keeps the dashboard from offering what it would refuse. */

export type Right = 'see' | 'operate' | 'edit' | 'administer'

export interface Grant {
  right: Right
  /** Null: in all namespaces. */
  namespaces: readonly string[] | null
}

/** Whether *grants* hold *right* in *namespace*; without one, in at least one namespace. */
export function isGranted(grants: readonly Grant[], right: Right, namespace?: string): boolean {
  return grants.some(
    (grant) =>
      grant.right === right &&
      (grant.namespaces === null ||
        (namespace === undefined ? grant.namespaces.length > 0 : grant.namespaces.includes(namespace))),
  )
}

/** Whether *right* holds in all namespaces, those of tomorrow too. */
export function isGrantedEverywhere(grants: readonly Grant[], right: Right): boolean {
  return grants.some((grant) => grant.right === right && grant.namespaces === null)
}
