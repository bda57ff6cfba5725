import { expectAccessible } from './accessibility'
import { expect, signedOut, test } from './installation'

const PASSWORD = 'four grey herons at noon'

test('a user is made, may only see, is disabled and deleted', async ({ page, browser, baseURL }) => {
  await page.goto('/admin')
  await expect(page).toHaveURL(/\/admin\/users$/)
  await page.getByRole('button', { name: 'New user' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('User name').fill('e2e-viewer')
  await dialog.getByLabel('Password').fill('short')
  await expect(dialog.getByRole('button', { name: 'Save' })).toBeDisabled()
  await dialog.getByLabel('Password').fill(PASSWORD)
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Save' }).click()
  const row = page.getByRole('row', { name: /e2e-viewer/ })
  await expect(row).toContainText('Viewer')

  const viewer = await browser.newContext({ baseURL, ...signedOut })
  const theirs = await viewer.newPage()
  await theirs.goto('/admin/users')
  await theirs.getByLabel('User name').fill('e2e-viewer')
  await theirs.getByLabel('Password').fill(PASSWORD)
  await theirs.getByRole('button', { name: 'Sign in' }).click()
  await expect(theirs.getByText('You may not see this')).toBeVisible()
  await expect(theirs.getByRole('navigation').getByRole('link', { name: 'Admin' })).toHaveCount(0)

  await row.getByRole('button', { name: 'Disable' }).click()
  await expect(row).toContainText('disabled')
  await theirs.goto('/jobs')
  await expect(theirs).toHaveURL(/\/login\?back=/)
  await viewer.close()

  await row.getByRole('button', { name: 'Delete' }).click()
  await expect(dialog.getByRole('button', { name: 'Delete' })).toBeDisabled()
  await dialog.getByRole('textbox').fill('e2e-viewer')
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(row).toHaveCount(0)
})
