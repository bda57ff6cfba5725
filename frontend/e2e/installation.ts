/** A page of the installation under test, signed in, that fails the test on any error in its console. */
import { existsSync } from 'node:fs'
import { expect, test as base, type APIRequestContext, type PlaywrightWorkerArgs } from '@playwright/test'

export const token = process.env.EVERYTICK_TOKEN ?? ''

/** The account every test is signed in with, unless it says otherwise. */
export const account = { name: 'e2e-admin', password: 'a long enough password' }
const SESSION = 'test-results/session.json'

interface WorkerFixtures {
  /** A file with the cookie of a session. */
  session: string
}

interface Fixtures {
  /** The API, as an admin. */
  api: APIRequestContext
  /** Errors the browser reported: script errors, refused assets, broken security policy. */
  complaints: string[]
}

/** Make sure that the account is there: as the first one, or as a further one. */
async function haveAccount(api: APIRequestContext): Promise<void> {
  const { name: username, password } = account
  const offered = await api.post('/api/v1/auth/setup-token', { data: {} })
  if (offered.status() === 200) {
    const { token: setupToken } = await offered.json()
    const made = await api.post('/api/v1/auth/setup', { data: { token: setupToken, username, password } })
    expect(made.status(), await made.text()).toBe(200)
    return
  }
  const roles = [{ role: 'admin', namespaces: null }]
  const user = { name: username, display_name: username, roles, password }
  const made = await api.post('/api/v1/user/save', { data: user, headers: { 'If-None-Match': '*' } })
  expect([200, 409], await made.text()).toContain(made.status())
}

/** One sign-in for all tests, and for the workers that follow one whose test failed: the server allows few. */
async function signedIn(playwright: PlaywrightWorkerArgs['playwright'], baseURL: string): Promise<string> {
  if (existsSync(SESSION)) {
    const kept = await playwright.request.newContext({ baseURL, storageState: SESSION })
    const me = await kept.get('/api/v1/auth/me')
    await kept.dispose()
    if (me.status() === 200) return SESSION
  }
  const admin = await playwright.request.newContext({
    baseURL,
    extraHTTPHeaders: { Authorization: `Bearer ${token}` },
  })
  await haveAccount(admin)
  await admin.dispose()
  const person = await playwright.request.newContext({ baseURL })
  const data = { username: account.name, password: account.password }
  const answer = await person.post('/api/v1/auth/login', { data })
  expect(answer.status(), await answer.text()).toBe(200)
  await person.storageState({ path: SESSION })
  await person.dispose()
  return SESSION
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  session: [
    async ({ playwright }, use, { project }) => {
      await use(await signedIn(playwright, String(project.use.baseURL)))
    },
    // Also for tests that sign in by hand: the account must be there.
    { scope: 'worker', auto: true },
  ],
  storageState: ({ session }, use) => use(session),
  api: async ({ playwright, baseURL }, use) => {
    const context = await playwright.request.newContext({
      baseURL,
      extraHTTPHeaders: { Authorization: `Bearer ${token}` },
    })
    await use(context)
    await context.dispose()
  },
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('console', (message) => {
        // The browser itself reports refused requests; tests that provoke one look at the answer instead.
        if (message.type() === 'error' && !/status of (401|403|404|409|412|422|429)/.test(message.text())) {
          complaints.push(message.text())
        }
      })
      await use(complaints)

      expect(complaints).toEqual([])
    },
    { auto: true },
  ],
})

/** Save a job of the default namespace. */
export async function saveJob(
  api: APIRequestContext,
  job: { name: string } & Record<string, unknown>,
): Promise<void> {
  const answer = await api.post('/api/v1/job/save', { data: job })

  expect(answer.status(), await answer.text()).toBe(200)
}

export { expect }

/** For tests that begin without a session. */
export const signedOut = { storageState: { cookies: [], origins: [] } }
