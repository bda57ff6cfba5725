import { expectAccessible } from './accessibility'
import { expect, signedOut, test } from './installation'

test.use(signedOut)

test('after too many attempts the page says how long to wait', async ({ page }) => {
  await page.goto('/login')
  const submit = page.getByRole('button', { name: 'Sign in' })
  for (let attempt = 0; attempt < 7 && !(await page.getByRole('timer').isVisible()); attempt += 1) {
    await page.getByLabel('User name').fill('e2e-nobody')
    await page.getByLabel('Password').fill(`wrong ${attempt}`)
    const answer = page.waitForResponse('**/auth/login')
    await submit.click()
    await answer
  }
  const timer = page.getByRole('timer')
  await expect(timer).toContainText(/Try again in \d\d:\d\d/)
  const before = await timer.textContent()
  await expect(submit).toBeDisabled()
  await expectAccessible(page)

  await expect.poll(() => timer.textContent()).not.toBe(before)
})
