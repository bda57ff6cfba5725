/** Joins session and client, and sends one to the sign-in page when the session has ended. */
import { auth } from '@/api/accounts'
import { connect } from '@/api/client'
import { asProblem } from '@/lib/problem'
import { useSession } from '@/stores/session'

export function useConnection(askToSignIn: () => void): void {
  const session = useSession()
  connect({
    csrfToken: () => session.csrfToken,
    onSessionEnded: (csrfToken) => {
      // An answer to a request of the session before is late news.
      if (csrfToken !== session.csrfToken || session.state === 'out') return
      session.leave()
      askToSignIn()
    },
  })
}

/** Ask the server who this is, unless it is known. A server that does not answer leaves it unknown. */
export async function findOutWhoThisIs(): Promise<void> {
  const session = useSession()
  if (session.state !== 'unknown') return
  try {
    session.enter(await auth.me())
  } catch (error) {
    if (asProblem(error).status === 401) session.leave()
  }
}
