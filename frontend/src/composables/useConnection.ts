/** Joins token and client, and sends one to the sign-in page when the server refuses the token. */
import { connect } from '@/api/client'
import { useSession } from '@/stores/session'

export function useConnection(askForToken: () => void): void {
  const session = useSession()
  connect({
    token: () => session.token,
    onRefused: (token) => {
      // An answer to a request of the token before is late news.
      if (token !== session.token) return
      session.signOut()
      askForToken()
    },
  })
}
