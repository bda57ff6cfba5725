/** Every page, in both languages and themes, from a telephone to a desk: nothing is cut off, all of it is readable. */
import type { Page } from '@playwright/test'
import { expectAccessible } from './accessibility'
import { expect, runNow, saveJob, test } from './installation'

const WIDTHS = [1440, 390, 360, 3840]
/** Whose name and zone are long: what does not fit shows there first. */
const LONG = 'pages-of-a-job-with-a-name-that-nobody-would-type-twice-by-hand'
const PAGES = [
  '/',
  '/jobs',
  '/jobs/new',
  `/jobs/default/${LONG}`,
  `/jobs/default/${LONG}?tab=definition`,
  '/jobs/default/hello?tab=ledger',
  '/jobs/default/hello?tab=workers',
  '/executions',
  '/executions/:id',
  '/timeline',
  '/workers',
  '/workers?add=1',
  '/workers/worker-1',
  '/account',
  '/admin/users',
  '/admin/tokens',
  '/admin/audit',
  '/admin/cluster',
  '/nowhere',
  '/login',
]

async function open(page: Page, path: string): Promise<void> {
  await page.setViewportSize({ width: WIDTHS[0] ?? 0, height: 900 })
  await page.goto(path)
  await expect(page.locator('main h1, main .title').first()).toBeVisible()
  await expect(page.locator('main .loading-state')).toHaveCount(0)
}

let id = ''

test.beforeAll(async ({ admin }) => {
  await saveJob(admin, {
    name: LONG,
    command: 'for i in 1 2 3; do echo $i; done; echo bad >&2',
    schedule: '0 3 * * *',
    timezone: 'America/Argentina/Buenos_Aires',
    labels: { 'cost-centre': 'a-value-as-long-as-they-are-in-large-companies' },
  })
  id = await runNow(admin, LONG)
})

for (const [language, title] of [
  ['en', 'Overview'],
  ['zh-CN', '概览'],
] as const) {
  for (const theme of ['light', 'dark'] as const) {
    test(`every page fits and is accessible in ${language}, ${theme}`, async ({ page }) => {
      test.setTimeout(180_000)
      await page.addInitScript(
        ([chosen, look]) => {
          localStorage.setItem('everytick.language', chosen ?? '')
          localStorage.setItem('everytick.theme', look ?? '')
        },
        [language, theme],
      )
      for (const path of PAGES) {
        await open(page, path.replace(':id', id))
        if (path === '/') await expect(page.getByRole('heading', { name: title })).toBeVisible()
        // The language changes neither colours nor structure.
        if (language === 'en') await expectAccessible(page)
        // Nor does the theme change widths.
        for (const width of theme === 'light' ? WIDTHS : WIDTHS.slice(0, 1)) {
          await page.setViewportSize({ width, height: 900 })
          const excess = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          )
          expect(excess, `${path} is wider than ${width} px`).toBeLessThanOrEqual(0)
        }
      }
    })
  }
}
