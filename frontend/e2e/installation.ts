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
  /** The API as an admin, for what is prepared once for several tests. */
  admin: APIRequestContext
}

interface Fixtures {
  /** The same, under the name the tests use. */
  api: APIRequestContext
  /** Errors the browser reported: script errors, refused assets, broken security policy. */
  complaints: string[]
  /** What the browser may report: refused requests, where the test looks at the answer instead. */
  tolerated: RegExp
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

function asAdmin(
  playwright: PlaywrightWorkerArgs['playwright'],
  baseURL: string,
): Promise<APIRequestContext> {
  return playwright.request.newContext({ baseURL, extraHTTPHeaders: { Authorization: `Bearer ${token}` } })
}

/** One sign-in for all tests, and for the workers that follow one whose test failed: the server allows few. */
async function signedIn(playwright: PlaywrightWorkerArgs['playwright'], baseURL: string): Promise<string> {
  if (existsSync(SESSION)) {
    const kept = await playwright.request.newContext({ baseURL, storageState: SESSION })
    const me = await kept.get('/api/v1/auth/me')
    await kept.dispose()
    if (me.status() === 200) return SESSION
  }
  const admin = await asAdmin(playwright, baseURL)
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
  admin: [
    async ({ playwright }, use, { project }) => {
      const context = await asAdmin(playwright, String(project.use.baseURL))
      await use(context)
      await context.dispose()
    },
    { scope: 'worker' },
  ],
  api: ({ admin }, use) => use(admin),
  tolerated: [/status of (401|403|404|409|412|422|429)/, { option: true }],
  complaints: [
    async ({ page, tolerated }, use) => {
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('console', (message) => {
        if (message.type() === 'error' && !tolerated.test(message.text())) complaints.push(message.text())
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

/** Run the job of the default namespace now; returns the id of the execution. */
export async function runNow(api: APIRequestContext, name: string): Promise<string> {
  const answer = await api.post(`/api/v1/job/run/${name}`, { data: {} })
  expect(answer.status(), await answer.text()).toBe(202)
  const { execution_id } = await answer.json()
  return execution_id
}

export { expect }

/** For tests that begin without a session. */
export const signedOut = { storageState: { cookies: [], origins: [] } }
