import { expectAccessible } from './accessibility'
import { expect, saveJob, test } from './installation'

test('Ctrl-K finds a job by some of its letters and goes there', async ({ page, api }) => {
  await saveJob(api, { name: 'e2e-nightly-backup', command: 'true' })
  await page.goto('/workers')
  await expect(page.getByRole('heading', { name: 'Workers' })).toBeVisible()
  await page.keyboard.press('Control+k')
  const field = page.getByRole('combobox')
  await expect(field).toBeFocused()
  await field.fill('nightly-b')
  await expect(page.getByRole('option', { selected: true })).toContainText('e2e-nightly-backup')
  await expectAccessible(page)
  await field.press('Enter')

  await expect(page).toHaveURL(/\/jobs\/default\/e2e-nightly-backup$/)
  await api.delete('/api/v1/job/e2e-nightly-backup')
})

test('it does what it offers, by keyboard alone, and Escape leaves', async ({ page }) => {
  await page.goto('/')
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('dark theme')
  await page.keyboard.press('Enter')
  await expect(page.locator('html')).toHaveAttribute('data-bs-theme', 'dark')

  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('w')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await expect(page).toHaveURL(/\/$/)
})

test('an execution is opened by its id', async ({ page, api }) => {
  const { items } = await (await api.get('/api/v1/log/list?page_size=1')).json()
  await page.goto('/')
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill(items[0].id)
  await page.keyboard.press('Enter')

  await expect(page).toHaveURL(new RegExp(`/executions/${items[0].id}$`))
})

test('g and a letter goes from page to page', async ({ page }) => {
  await page.goto('/')
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
  for (const [keys, path] of [
    ['gj', '/jobs'],
    ['ge', '/executions'],
    ['gw', '/workers'],
    ['go', '/'],
  ] as const) {
    // On a busy machine a second can pass between two keys: one types them again, as a person would.
    await expect(async () => {
      for (const key of keys) await page.keyboard.press(key)
      await expect(page).toHaveURL(new RegExp(`${path}$`), { timeout: 1_500 })
    }).toPass()
  }
})
