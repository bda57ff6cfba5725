/** Executions over time, the timeline, and the pages of workers. */
import { expectAccessible } from './accessibility'
import { expect, saveJob, test } from './installation'

test('the timeline shows what ran, what did not and what is to come, and leads there by keyboard', async ({
  page,
  api,
}) => {
  await saveJob(api, { name: 'time-line', command: 'true', schedule: '*/5 * * * * *' })
  await expect
    .poll(
      async () =>
        (await (await api.get('/api/v1/log/list?job=time-line&status=succeeded')).json()).items.length,
    )
    .toBeGreaterThan(0)
  await page.goto('/timeline?span=1h&q=time-line')
  const row = page.getByRole('group', { name: /time-line: .*succeeded/ })

  await expect(row).toBeVisible()
  await expect(row).toHaveAttribute('aria-label', /scheduled/)
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Workers', exact: true }).click()
  await expect(page).toHaveURL(/by=worker/)
  await expect(page.getByRole('link', { name: 'worker-1' })).toBeVisible()
  await api.delete('/api/v1/job/time-line')
})

test('executions: a span of the histogram becomes a filter, and many run again at once', async ({
  page,
  api,
}) => {
  await saveJob(api, { name: 'time-bulk', command: 'exit 3' })
  for (let count = 0; count < 2; count += 1) {
    await api.post('/api/v1/job/run/time-bulk', { data: {} })
    await expect
      .poll(
        async () =>
          (await (await api.get('/api/v1/log/list?job=time-bulk&status=failed')).json()).items.length,
      )
      .toBe(count + 1)
  }
  await page.goto('/executions?job=time-bulk')
  await expect(page.getByRole('row', { name: /failed/ })).toHaveCount(2)
  await expectAccessible(page)
  await page
    .getByRole('button', { name: /failed/ })
    .last()
    .focus()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/from=.*to=/)
  await page.getByRole('button', { name: 'Any time' }).click()
  await expect(page).not.toHaveURL(/from=/)

  await page.getByLabel('Choose all executions of this page').check()
  await page.getByRole('toolbar').getByRole('button', { name: 'Run again' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Run again' }).click()
  await expect(dialog).toContainText('of 2')
  await api.delete('/api/v1/job/time-bulk')
})

test('a worker is drained and resumed, and its page says so', async ({ page, api }) => {
  await page.goto('/workers')
  await page.getByRole('link', { name: 'worker-2' }).click()
  await expect(page.getByRole('heading', { name: 'worker-2' })).toBeVisible()
  await expectAccessible(page)

  await page.getByRole('button', { name: 'Drain' }).click()
  await expect(page.getByText('draining', { exact: true })).toBeVisible()
  await page.getByRole('button', { name: 'Resume' }).click()
  await expect(page.getByText('online', { exact: true })).toBeVisible()
  await expect(page.getByText('is being drained')).toBeVisible()

  const { items } = await (await api.get('/api/v1/worker/list')).json()
  expect(items.map(({ status }: { status: string }) => status)).toEqual(['online', 'online'])
})

test('add a worker: the configuration and the commands of this installation, then waiting', async ({
  page,
}) => {
  await page.goto('/workers')
  await page.getByRole('button', { name: 'Add a worker' }).click()
  const dialog = page.getByRole('dialog')

  await expect(dialog).toContainText('"etcdEndpoints"')
  await expect(dialog).toContainText('worker -config')
  await expect(dialog.getByRole('status')).toContainText('Waiting')
  await expectAccessible(page)
})
