/**
 * Browser tests against a running installation:
 * `EVERYTICK_URL=http://127.0.0.1:8070 EVERYTICK_TOKEN=et_admin_... npm run e2e`.
 *
 * They use the system's Chromium (EVERYTICK_CHROMIUM names another one); no browser is downloaded. The installation
 * must be one that nobody needs: the tests create jobs in it.
 */
import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  timeout: 45_000,
  expect: { timeout: 15_000 },
  workers: 1,
  forbidOnly: true,
  reporter: [['list']],
  // In this order. The first needs an installation without an account, the last kills the master, which something
  // (such as `cronctl up`) must start again.
  projects: [
    ...(process.env.EVERYTICK_FRESH ? [{ name: 'fresh', testMatch: 'fresh/**' }] : []),
    { name: 'dashboard', testIgnore: ['fresh/**', 'outage/**'] },
    ...(process.env.EVERYTICK_MASTER_PID ? [{ name: 'outage', testMatch: 'outage/**' }] : []),
  ],
  use: {
    baseURL: process.env.EVERYTICK_URL ?? 'http://127.0.0.1:8070',
    viewport: { width: 1440, height: 900 },
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
    // A trace films every test, also those that pass: `npm run e2e -- --trace on` where one is wanted.
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.EVERYTICK_CHROMIUM ?? '/usr/bin/chromium',
      // The tests may run as root, where Chromium refuses its sandbox.
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    },
  },
})
