/** A page of the installation under test, signed in, that fails the test on any error in its console. */
import { expect, test as base, type APIRequestContext } from '@playwright/test'

export const token = process.env.EVERYTICK_TOKEN ?? ''

interface Fixtures {
  /** The API, as an admin. */
  api: APIRequestContext
  /** Errors the browser reported: script errors, refused assets, broken security policy. */
  complaints: string[]
}

export const test = base.extend<Fixtures>({
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
        if (message.type() === 'error' && !/status of (401|404|412|422)/.test(message.text())) {
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
