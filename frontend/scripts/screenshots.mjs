/**
 * Pictures of the dashboard, of an installation made for them: `make screenshots`.
 *
 * Without an argument, the few the READMEs show, into `docs/images`. With a directory, every page in every language,
 * theme and width, to look through; EVERYTICK_SECONDS is how long the installation lives before (150).
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from '@playwright/test'
import { fill } from './demo-data.mjs'
import { startDemo } from './demo-installation.mjs'

const LARGEST_BYTES = 80 * 1024
const all = process.argv[2]
const directory = all ?? fileURLToPath(new URL('../../docs/images', import.meta.url))
const seconds = Number(process.env.EVERYTICK_SECONDS ?? 150)

const PICTURES = [
    { name: 'jobs', path: '/jobs', language: 'en', theme: 'light' },
    { name: 'job', path: '/jobs/shop/sync-stock', language: 'en', theme: 'dark' },
    { name: 'timeline', path: '/timeline?span=1h', language: 'en', theme: 'light' },
    { name: 'output', path: '/executions/:id', language: 'en', theme: 'dark' },
    { name: 'jobs.zh-CN', path: '/jobs', language: 'zh-CN', theme: 'light' },
    { name: 'output.zh-CN', path: '/executions/:id', language: 'zh-CN', theme: 'dark' },
]
const PAGES = {
    overview: '/',
    jobs: '/jobs',
    job: '/jobs/shop/sync-stock',
    'job-ledger': '/jobs/ops/train-recommender?tab=ledger',
    'job-definition': '/jobs/ops/backup-database?tab=definition',
    'job-versions': '/jobs/shop/import-orders?tab=versions',
    'job-workers': '/jobs/ops/render-previews?tab=workers',
    'job-audit': '/jobs/shop/import-orders?tab=audit',
    editor: '/jobs/ops/backup-database/edit',
    executions: '/executions',
    execution: '/executions/:id',
    timeline: '/timeline?span=1h',
    workers: '/workers',
    'workers-add': '/workers?add=1',
    worker: '/workers/worker-1',
    account: '/account',
    users: '/admin/users',
    tokens: '/admin/tokens',
    audit: '/admin/audit',
    cluster: '/admin/cluster',
    login: '/login',
}

/** JPEG, as good as fits. */
async function small(page) {
    for (let quality = 88; ; quality -= 6) {
        const picture = await page.screenshot({ type: 'jpeg', quality })
        if (picture.length <= LARGEST_BYTES || quality < 40) return picture
    }
}

async function open(browser, demo, { language, theme, width = 1280, height = 800 }) {
    const context = await browser.newContext({
        baseURL: demo.origin,
        viewport: { width, height },
        timezoneId: language === 'zh-CN' ? 'Asia/Shanghai' : 'Europe/Berlin',
        locale: language === 'zh-CN' ? 'zh-CN' : 'en-GB',
        reducedMotion: 'reduce',
        storageState: demo.session,
    })
    await context.addInitScript(
        ([chosen, look]) => {
            localStorage.setItem('everytick.language', chosen)
            localStorage.setItem('everytick.theme', look)
        },
        [language, theme],
    )
    return context
}

async function show(page, path) {
    await page.goto(path)
    await page.locator('h1, .title').first().waitFor()
    await page.locator('main .loading-state').first().waitFor({ state: 'detached' })
    // Charts are drawn after their first answer.
    await page.waitForTimeout(1_200)
}

async function forReadme(browser, demo, id) {
    for (const { name, path, ...look } of PICTURES) {
        const context = await open(browser, demo, look)
        const page = await context.newPage()
        await show(page, path.replace(':id', id))
        const picture = await small(page)
        writeFileSync(join(directory, `${name}.jpg`), picture)
        console.log(`${name}.jpg  ${Math.round(picture.length / 1024)} KB`)
        await context.close()
    }
}

async function everyPage(browser, demo, id) {
    for (const language of ['en', 'zh-CN']) {
        for (const theme of ['light', 'dark']) {
            for (const width of [1440, 390]) {
                const context = await open(browser, demo, { language, theme, width, height: 900 })
                const page = await context.newPage()
                for (const [name, path] of Object.entries(PAGES)) {
                    await show(page, path.replace(':id', id))
                    const file = join(directory, `${name}.${language}.${theme}.${width}.png`)
                    await page.screenshot({ path: file, fullPage: !path.startsWith('/executions/') })
                }
                await context.close()
            }
        }
    }
}

mkdirSync(directory, { recursive: true })
const demo = await startDemo()
try {
    const id = await fill(demo, { seconds })
    const browser = await chromium.launch({
        executablePath: process.env.EVERYTICK_CHROMIUM ?? '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-dev-shm-usage'],
    })
    const context = await browser.newContext({ baseURL: demo.origin })
    const { username, password } = demo.admin
    await context.request.post('/api/v1/auth/login', { data: { username, password } })
    const session = await context.storageState()
    await (all ? everyPage : forReadme)(browser, { ...demo, session }, id)
    await browser.close()
} finally {
    await demo.stop()
}
