/** What the editor must not lose, and what it must tell before saving. */
import { expect, saveJob, test } from './installation'

test('what the editor does not know survives an edit, and so does a secret', async ({ page, api }) => {
  await saveJob(api, {
    name: 'edit-keep',
    command: 'true',
    limits: { core_bytes: 4096 },
    paused_until: '2035-01-01T00:00:00Z',
    env: { KEY: { secret: true, value: 'hunter2' } },
  })
  await page.goto(`/jobs/default/edit-keep/edit`)
  await page.getByLabel('Time limit').fill('99')
  await page.getByRole('button', { name: 'Review and save' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('row')).toHaveCount(2)
  await expect(dialog).toContainText('timeout_s')
  await dialog.getByRole('button', { name: 'Save job' }).click()
  await expect(page).toHaveURL(/\/jobs\/default\/edit-keep$/)

  const job = await (await api.get('/api/v1/job/edit-keep')).json()
  expect([job.timeout_s, job.limits.core_bytes, job.paused_until, job.env.KEY.secret]).toEqual([
    99,
    4096,
    '2035-01-01T00:00:00Z',
    true,
  ])
  await api.delete('/api/v1/job/edit-keep')
})

test('a refused field says so where it is, and nothing that was typed is lost', async ({ page }) => {
  await page.goto(`/jobs/new`)
  await page.getByLabel('Name', { exact: true }).fill('edit-wrong')
  await page.getByLabel('Command', { exact: true }).fill('true')
  await page.getByLabel('Schedule', { exact: true }).fill('99 * * * *')
  await page.getByRole('button', { name: 'Save job' }).click()

  await expect(page.locator('#job-schedule-hint[role=alert]')).toContainText('99')
  await page.reload()
  await expect(page.getByLabel('Schedule', { exact: true })).toHaveValue('99 * * * *')
  await expect(page.getByText('Restored from your unsaved draft.')).toBeVisible()
})

test('a typed secret is in no storage of the browser; after a reload one is told to type it again', async ({
  page,
}) => {
  await page.goto(`/jobs/new`)
  await page.getByLabel('Name', { exact: true }).first().fill('edit-secret')
  await page.getByRole('button', { name: 'Add a variable' }).click()
  await page.getByLabel('Name', { exact: true }).last().fill('KEY')
  await page.getByLabel('secret', { exact: true }).check()
  await page.getByLabel('Value', { exact: true }).fill('hunter2-in-the-draft')
  await page.getByLabel('Description').fill('kept')
  const stored = () => page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]))
  await expect.poll(stored).toContain('kept')
  expect(await stored()).not.toContain('hunter2-in-the-draft')

  await page.reload()

  await expect(page.getByText('Type again: KEY')).toBeVisible()
  await expect(page.getByLabel('Description')).toHaveValue('kept')
  await page.getByLabel('Value', { exact: true }).fill('again')
  await expect(page.getByText('Type again: KEY')).toHaveCount(0)
})

test('the number of workers that fit follows what one types', async ({ page }) => {
  await page.goto(`/jobs/new`)
  await page.getByLabel('Name', { exact: true }).fill('edit-fits')
  await page.getByLabel('Command', { exact: true }).fill('true')
  await expect(page.getByTestId('fits')).toContainText(/[1-9]\d* of [1-9]\d* live workers fit/)

  await page.getByLabel('Workers with these labels').fill('nobody=has-this')

  await expect(page.getByTestId('fits')).toContainText(/0 of [1-9]\d* live workers fit/)
})

test('a schedule that could surprise is warned of', async ({ page }) => {
  await page.goto(`/jobs/new`)
  await page.getByLabel('Schedule', { exact: true }).fill('0 0 13 * 5')

  await expect(page.getByRole('complementary')).toContainText('either one is enough')
})
