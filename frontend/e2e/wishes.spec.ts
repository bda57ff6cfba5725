/** The wishes that repeat over all schedulers, one named test each; the output view has a file of its own. */
import { expect, saveJob, test } from './installation'

test('wish: the next run is shown, with the time that is left', async ({ page, api }) => {
  await saveJob(api, { name: 'wish-next', command: 'true', schedule: '0 3 * * *', timezone: 'Asia/Tokyo' })
  await page.goto(`/jobs?q=wish-next`)
  const row = page.getByRole('row', { name: /wish-next/ })

  await expect(row).toContainText(/in (\d+:\d\d:\d\d|\d\d:\d\d)/)

  const { next_ticks } = await (await api.get('/api/v1/job/wish-next')).json()
  await expect(row.locator(`time[datetime="${new Date(next_ticks[0].at).toISOString()}"]`)).toBeVisible()
  await api.delete('/api/v1/job/wish-next')
})

test('wish: a schedule is readable in words, in both languages', async ({ page, api }) => {
  await saveJob(api, { name: 'wish-words', command: 'true', schedule: '0 8 * * 1-5' })
  await page.goto(`/jobs?q=wish-words`)
  await expect(page.getByRole('row', { name: /wish-words/ })).toContainText('At 08:00, Monday through Friday')

  await page.evaluate(() => localStorage.setItem('everytick.language', 'zh-CN'))
  await page.reload()

  await expect(page.getByRole('row', { name: /wish-words/ })).toContainText('星期一至星期五')
  await api.delete('/api/v1/job/wish-words')
})

test('wish: every time has its zone; ticks stand in three of them', async ({ page, api }) => {
  await saveJob(api, { name: 'wish-zones', command: 'true', schedule: '0 3 * * *', timezone: 'Asia/Tokyo' })
  await page.goto(`/jobs/default/wish-zones`)
  const first = page.getByRole('listitem').filter({ hasText: 'Asia/Tokyo' }).first()

  await expect(first).toContainText('03:00:00')
  await expect(first).toContainText('Europe/Berlin')
  await expect(first).toContainText('UTC')
  await api.delete('/api/v1/job/wish-zones')
})

test('wish: jobs are searched, and the search can be bookmarked', async ({ page, api }) => {
  await saveJob(api, { name: 'wish-search-a', command: 'echo needle-4711' })
  await saveJob(api, { name: 'wish-search-b', command: 'true' })
  await page.goto('/jobs')
  await page.getByPlaceholder('Search name, command, description, labels').fill('needle-4711')
  await expect(page).toHaveURL(/\?q=needle-4711$/)
  await expect(page.getByRole('row', { name: /wish-search-a/ })).toBeVisible()
  await expect(page.getByRole('row', { name: /wish-search-b/ })).toHaveCount(0)

  await page.goto(page.url())

  await expect(page.getByRole('row', { name: /wish-search-a/ })).toBeVisible()
  await expect(page.getByRole('row', { name: /wish-search-b/ })).toHaveCount(0)
  for (const name of ['wish-search-a', 'wish-search-b']) await api.delete(`/api/v1/job/${name}`)
})

test('wish: dark mode: chosen once, kept, and dark', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' })
  await page.goto('/jobs')
  const brightness = () =>
    page.evaluate(() => {
      const [red = 0, green = 0, blue = 0] =
        getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) ?? []
      return (Number(red) + Number(green) + Number(blue)) / 3
    })
  await expect.poll(brightness).toBeGreaterThan(200)
  await page.getByRole('button', { name: 'Theme' }).click()
  await page.getByText('Dark', { exact: true }).click()
  await expect.poll(brightness).toBeLessThan(60)
  await page.reload()

  expect(await brightness()).toBeLessThan(60)
})

test('wish: many jobs are changed at once, each with its result; deleting asks for the number', async ({
  page,
  api,
}) => {
  for (const name of ['wish-bulk-a', 'wish-bulk-b']) await saveJob(api, { name, command: 'true' })
  await page.goto(`/jobs?q=wish-bulk`)
  await page.getByLabel('Choose all jobs of this page').check()
  await page.getByRole('toolbar').getByRole('button', { name: 'Disable' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Disable' }).click()
  await expect(dialog).toContainText('Done for 2 of 2')
  await dialog.locator('.modal-actions').getByRole('button', { name: 'Close' }).click()
  await expect(page.getByRole('switch', { checked: false })).toHaveCount(2)

  await page.getByLabel('Choose all jobs of this page').check()
  await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).click()
  await expect(dialog.getByRole('button', { name: 'Delete' })).toBeDisabled()
  await dialog.getByLabel(/Type how many/).fill('2')
  await dialog.getByRole('button', { name: 'Delete' }).click()

  await expect(dialog).toContainText('Done for 2 of 2')
  expect((await api.get('/api/v1/job/wish-bulk-a')).status()).toBe(404)
})

test('wish: a job is duplicated, with everything but its name and secrets', async ({ page, api }) => {
  await saveJob(api, {
    name: 'wish-copy',
    command: 'echo one',
    timeout_s: 77,
    env: { A: '1', KEY: { secret: true, value: 'hunter2' } },
  })
  await page.goto(`/jobs/default/wish-copy`)
  await page.getByRole('link', { name: 'Duplicate' }).click()
  await expect(page.getByLabel('Name', { exact: true }).first()).toHaveValue('wish-copy-copy')
  await page.getByLabel('Value', { exact: true }).last().fill('again')

  await page.getByRole('button', { name: 'Save job' }).click()

  await expect(page).toHaveURL(/\/jobs\/default\/wish-copy-copy$/)
  const copy = await (await api.get('/api/v1/job/wish-copy-copy')).json()
  expect([copy.command, copy.timeout_s, copy.env.A, copy.env.KEY.secret]).toEqual(['echo one', 77, '1', true])
  for (const name of ['wish-copy', 'wish-copy-copy']) await api.delete(`/api/v1/job/${name}`)
})

test('wish: a strip shows the last executions, and the keyboard walks through it', async ({ page, api }) => {
  await saveJob(api, { name: 'wish-strip', command: 'true', schedule: '* * * * * *' })
  await page.goto(`/jobs?q=wish-strip`)
  const strip = page.getByRole('group', { name: /Last \d+ executions: \d+ succeeded/ })
  await expect.poll(() => strip.getByRole('link').count(), { timeout: 30_000 }).toBeGreaterThan(2)
  await api.post('/api/v1/job/disable/wish-strip', { data: {} })

  await strip.getByRole('link').last().focus()
  await page.keyboard.press('ArrowLeft')
  await expect(page.locator('.history-strip a:focus')).toHaveAttribute('aria-label', /succeeded · /)
  await page.keyboard.press('Enter')

  await expect(page).toHaveURL(/\/executions\//)
  await api.delete('/api/v1/job/wish-strip')
})

test('wish: no status is told by its colour alone', async ({ page, api }) => {
  await saveJob(api, { name: 'wish-colour', command: 'exit 3', schedule: '* * * * * *' })
  await page.goto(`/jobs?q=wish-colour`)
  const mark = page.locator('.job-table .status-mark').first()

  await expect(mark).toContainText('failed', { timeout: 30_000 })
  await expect(mark.locator('svg path')).not.toHaveCount(0)
  const outlines = await page.locator('.history-strip path.failed').first().getAttribute('d')
  // A spike: up to the middle of the bar and down again, where succeeded is flat.
  expect(outlines).toMatch(/L[\d.]+ [\d.]+L/)
  await api.delete('/api/v1/job/wish-colour')
})
