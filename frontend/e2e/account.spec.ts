import { expectAccessible } from './accessibility'
import { account, expect, signedOut, test } from './installation'

test.describe('without a session', () => {
  test.use(signedOut)

  test('one is asked to sign in and comes to where one was going', async ({ page }) => {
    await page.goto('/executions?status=failed')
    await page.getByLabel('User name').fill(account.name)
    await page.getByLabel('Password').fill('not the password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await expect(page.getByRole('alert')).toContainText('wrong')
    await expectAccessible(page)

    await expect(page.getByLabel('User name')).toHaveValue(account.name)
    await page.getByLabel('Password').fill(account.password)
    await page.getByRole('button', { name: 'Sign in' }).click()

    await expect(page).toHaveURL(/\/executions\?status=failed$/)
    await expect(page.getByRole('heading', { name: 'Executions' })).toBeVisible()
  })

  test('no script can read the session', async ({ page }) => {
    await page.goto('/login')

    expect(await page.evaluate(() => [document.cookie, sessionStorage.length])).toEqual(['', 0])
  })

  test('a foreign address is not where one is sent back to', async ({ page }) => {
    await page.goto('/login?back=//example.org/')
    await page.getByLabel('User name').fill(account.name)
    await page.getByLabel('Password').fill(account.password)
    await page.getByRole('button', { name: 'Sign in' }).click()

    await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
  })
})

test('a session that has ended leads to the sign-in page and back, with the draft kept', async ({ page }) => {
  await page.goto('/jobs/new')
  await page.getByLabel('Name', { exact: true }).fill('e2e-draft')
  await page.context().clearCookies()
  // The editor asks what the server thinks of each change.
  await page.keyboard.type('-2')

  await expect(page).toHaveURL(/\/login\?back=/)
  await page.getByLabel('User name').fill(account.name)
  await page.getByLabel('Password').fill(account.password)
  await page.getByRole('button', { name: 'Sign in' }).click()

  await expect(page).toHaveURL(/\/jobs\/new$/)
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('e2e-draft-2')
})

test('signing out ends the session on the server', async ({ browser, baseURL }) => {
  const context = await browser.newContext({ baseURL, ...signedOut })
  const page = await context.newPage()
  await page.goto('/login')
  await page.getByLabel('User name').fill(account.name)
  await page.getByLabel('Password').fill(account.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
  const cookies = await context.cookies()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page).toHaveURL(/\/login/)
  await context.addCookies(cookies)

  expect((await context.request.get('/api/v1/auth/me')).status()).toBe(401)
  await context.close()
})

test('an own token is shown once and lets a script in', async ({ page, playwright, baseURL }) => {
  await page.goto('/account')
  await page.getByRole('button', { name: 'New token' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('What it is for').fill('e2e script')
  await dialog.getByRole('button', { name: 'Create the token' }).click()
  const secret = await dialog.locator('pre').textContent()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'I have kept it' }).click()
  const script = await playwright.request.newContext({
    baseURL,
    extraHTTPHeaders: { Authorization: `Bearer ${secret}` },
  })

  expect((await script.get('/api/v1/auth/me')).status()).toBe(200)
  await expect(page.getByText(String(secret))).toHaveCount(0)

  await page
    .getByRole('row', { name: /e2e script/ })
    .getByRole('button', { name: 'Delete' })
    .click()
  await dialog.getByRole('textbox').fill('e2e script')
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByRole('row', { name: /e2e script/ })).toHaveCount(0)
  expect((await script.get('/api/v1/auth/me')).status()).toBe(401)
  await script.dispose()
})
