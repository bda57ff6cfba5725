/** The master dies while one reads a log that is being written; whoever started it starts it again. */
import { rm, writeFile } from 'node:fs/promises'
import { kill } from 'node:process'
import { expect, runNow, saveJob, test } from '../installation'

const masterPid = Number(process.env.EVERYTICK_MASTER_PID)

// While nobody listens, the browser reports each request that did not get through.
test.use({ tolerated: /net::ERR_|status of 5\d\d/ })

test('a live log while the master is killed: the badge turns and turns back, no line is lost or doubled', async ({
  page,
  api,
}, testInfo) => {
  const enough = testInfo.outputPath('enough')
  await saveJob(api, {
    name: 'outage-log',
    command: `i=0; until [ -e '${enough}' ]; do i=$((i+1)); echo "line $i"; sleep 0.1; done; echo the end`,
  })
  await page.goto(`/executions/${await runNow(api, 'outage-log')}`)
  const badge = page.locator('.live-badge')
  const rows = page.getByRole('log').locator('.row .text')
  await expect(badge).toHaveText('Live')
  await expect(rows.last()).toHaveText(/^line [1-9]\d/)

  kill(masterPid, 'SIGKILL')
  await expect(badge).toHaveText(/Reconnecting|Polling/)
  const before = await lastNumber()
  await expect(badge).toHaveText('Live', { timeout: 40_000 })
  await expect.poll(lastNumber).toBeGreaterThan(before + 20)
  await writeFile(enough, '')
  await expect(rows.last()).toHaveText('the end')
  await expect(page.getByText('complete', { exact: true })).toBeVisible()

  // A window so high that every line is in the page.
  await page.setViewportSize({ width: 1440, height: 20_000 })
  const texts = await rows.allTextContents()
  expect(texts).toEqual([...Array.from(texts.slice(1), (_, index) => `line ${index + 1}`), 'the end'])
  await rm(enough)
  await api.delete('/api/v1/job/outage-log')

  async function lastNumber(): Promise<number> {
    return Number(/\d+/.exec(await rows.last().innerText())?.[0] ?? 0)
  }
})
