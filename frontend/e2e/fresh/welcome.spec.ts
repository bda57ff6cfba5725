/** An installation without an account: what a newcomer meets. */
import { expect, test } from '@playwright/test'
import { expectAccessible } from '../accessibility'

const token = process.env.EVERYTICK_TOKEN ?? ''

test('from the printed address to the first job', async ({ page, playwright, baseURL }) => {
  const api = await playwright.request.newContext({
    baseURL,
    extraHTTPHeaders: { Authorization: `Bearer ${token}` },
  })
  const { path, token: setupToken } = await (await api.post('/api/v1/auth/setup-token', { data: {} })).json()

  await page.goto(path)
  await expect(page.getByRole('heading', { name: 'Create the first admin' })).toBeVisible()
  expect(page.url()).not.toContain(setupToken)
  await expect(page.getByText('MongoDB', { exact: true })).toBeVisible()
  await expectAccessible(page)
  await page.reload()
  await page.getByLabel('User name').fill('margit')
  await page.getByLabel('Password').fill('margit-is-here')
  await expect(page.getByRole('button', { name: 'Create the admin' })).toBeDisabled()
  await page.getByLabel('Password').fill('a quiet evening tide')
  await page.getByRole('button', { name: 'Create the admin' }).click()

  await expect(page.getByRole('heading', { name: 'Add a worker' })).toBeVisible()
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('link', { name: 'Open the editor' }).click()
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('hello-world')
  await api.dispose()
})
