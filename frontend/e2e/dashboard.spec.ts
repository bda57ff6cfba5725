import { expect, saveJob, test, token } from './installation'

test.beforeAll(() => {
  expect(token, 'EVERYTICK_TOKEN must hold the admin token').not.toBe('')
})

test('the sample job runs, is readable in words, and its executions appear', async ({ page, api }) => {
  await saveJob(api, {
    name: 'e2e-sample',
    command: 'echo hello',
    schedule: '*/3 * * * * *',
    timezone: 'Asia/Tokyo',
  })
  await page.goto('/jobs?q=e2e-sample')
  const row = page.getByRole('row', { name: /e2e-sample/ })

  await expect(row).toContainText('Every 3 seconds')
  await expect(row).toContainText('Asia/Tokyo')
  await expect(row).toContainText('succeeded')

  await page.goto('/executions?job=e2e-sample')
  await expect(page.getByRole('row', { name: /succeeded e2e-sample/ }).first()).toBeVisible()

  await api.delete('/api/v1/job/e2e-sample')
})

test('a job is created with a live preview, run, and its output followed to the end', async ({
  page,
  api,
}) => {
  await page.goto(`/jobs/new`)
  await page.getByLabel('Name', { exact: true }).fill('e2e-follow')
  await page
    .getByLabel('Command', { exact: true })
    .fill('for i in $(seq 1 40); do echo "part $i <b>"; sleep 0.05; done; echo bad >&2')
  await page.getByLabel('Schedule', { exact: true }).fill('61 * * * *')
  await expect(page.getByRole('complementary')).toContainText('61')
  await page.getByLabel('Schedule', { exact: true }).fill('0 3 * * *')
  await expect(page.getByRole('complementary').getByRole('listitem')).toHaveCount(5)

  await page.getByRole('button', { name: 'Save job' }).click()
  await expect(page).toHaveURL(/\/jobs\/default\/e2e-follow$/)
  await page.getByRole('button', { name: 'Run now' }).click()
  await page.getByRole('link', { name: 'Open the execution' }).click()
  const output = page.getByRole('log')

  await expect(output).toContainText('part 40 <b>')
  await expect(page.getByText('complete', { exact: true })).toBeVisible()
  await page.getByRole('button', { name: 'stderr' }).click()
  await expect(output).toContainText('bad')
  await expect(output).not.toContainText('part')
  await page.getByRole('button', { name: 'All', exact: true }).click()
  await page.getByLabel('Find in output').fill('part 4')
  await expect(page.getByText('1 / 2', { exact: true })).toBeVisible()

  await api.delete('/api/v1/job/e2e-follow')
})

test('a draft survives a reload, and a conflict shows both versions', async ({ page, api }) => {
  await saveJob(api, { name: 'e2e-conflict', command: 'true', description: 'first' })
  await page.goto(`/jobs/default/e2e-conflict/edit`)
  await page.getByLabel('Description').fill('mine')
  await page.reload()
  await expect(page.getByLabel('Description')).toHaveValue('mine')
  await saveJob(api, { name: 'e2e-conflict', command: 'true', description: 'theirs' })

  await page.getByRole('button', { name: 'Review and save' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Save job' }).click()
  const dialog = page.getByRole('dialog', { name: 'This job was changed meanwhile' })
  await expect(dialog).toContainText('theirs')
  await expect(dialog).toContainText('mine')
  await dialog.getByRole('button', { name: 'Overwrite with mine' }).click()
  await expect(page).toHaveURL(/\/jobs\/default\/e2e-conflict$/)

  const job = await (await api.get('/api/v1/job/e2e-conflict')).json()
  expect(job.description).toBe('mine')
  await api.delete('/api/v1/job/e2e-conflict')
})
