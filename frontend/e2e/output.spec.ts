/** The output view: it opens at the end, follows, searches all of a long output, and links to its lines. */
import type { APIRequestContext, Locator } from '@playwright/test'
import { expectAccessible } from './accessibility'
import { expect, runNow, saveJob, test } from './installation'

async function ended(api: APIRequestContext, id: string): Promise<void> {
  await expect
    .poll(async () => (await (await api.get(`/api/v1/execution/${id}`)).json()).status, { timeout: 30_000 })
    .toBe('succeeded')
}

/** Scroll from the beginning to the end; how long the picture stood still at most. */
function longestFrameMs(output: Locator): Promise<number> {
  return output.evaluate(
    (box) =>
      new Promise<number>((resolve) => {
        let longest = 0
        let before = performance.now()
        let steps = 0
        box.scrollTop = 0
        const step = (now: number) => {
          longest = Math.max(longest, now - before)
          before = now
          box.scrollTop += 40_000
          steps += 1
          if (steps < 60) requestAnimationFrame(step)
          else resolve(longest)
        }
        requestAnimationFrame(step)
      }),
  )
}

test('wish: a log opens at its end and follows, without freezing at 200,000 lines', async ({ page, api }) => {
  test.slow() // 20 s where another program wants both processors, too
  await saveJob(api, { name: 'wish-log', command: 'seq 1 200000' })
  const id = await runNow(api, 'wish-log')
  await ended(api, id)
  await page.goto(`/executions/${id}`)
  const output = page.getByRole('log')
  await expect(page.getByText('complete', { exact: true })).toBeVisible()
  await expect(output.locator('.row').last()).toContainText('200000')

  // Everything is loaded for the search, and the first line is reached by its link.
  await page.goto(`/executions/${id}#L1234`)
  await expect(output.locator('.linked')).toContainText('1234', { timeout: 30_000 })
  // The calmer of two passes: another program that takes the processors must not decide.
  const frames = Math.min(await longestFrameMs(output), await longestFrameMs(output))

  expect(frames, 'the longest frame while scrolling through all of it, in ms').toBeLessThan(500)
  const find = page.getByLabel('Find in output')
  // The end, the beginning, and lines just before those the page opened with.
  for (const line of ['199999', '100001', '197999', '195001']) {
    await find.fill(line)
    await expect(find).toHaveValue(line)
    await expect(page.getByText('1 / 1', { exact: true })).toBeVisible()
    await expect(output.locator('.match')).toContainText(line)
  }
  await expectAccessible(page)
  await api.delete('/api/v1/job/wish-log')
})

test('a running log is followed, and what went to stderr is told apart', async ({ page, api }) => {
  await saveJob(api, {
    name: 'e2e-live',
    command: 'for i in $(seq 1 30); do echo out $i; sleep 0.1; done; echo bad >&2',
  })
  const id = await runNow(api, 'e2e-live')
  await page.goto(`/executions/${id}`)
  const output = page.getByRole('log')

  await expect(output).toContainText('out 30')
  await page.getByRole('button', { name: 'stderr' }).click()
  await expect(output).toContainText('bad')
  await expect(output).not.toContainText('out 30')
  await api.delete('/api/v1/job/e2e-live')
})
