/**
 * An installation of its own, as `cronctl up` starts it in a temporary directory, with one signed-in admin.
 *
 * Always `stop` it: its servers outlive this process otherwise.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CRONCTL = fileURLToPath(new URL('../../.venv/bin/cronctl', import.meta.url))
const START_LIMIT_MS = 120_000
const ADMIN = { username: 'margit', password: 'a long enough password', display_name: 'Margit Olsen' }

/** Resolves when *child* has printed *text*; rejects when it ends before that. */
function printed(child, text) {
    return new Promise((resolve, reject) => {
        let told = ''
        const fail = (why) => reject(new Error(`cronctl up ${why}:\n${told}`))
        const timer = setTimeout(() => fail('was not ready in time'), START_LIMIT_MS)
        child.once('exit', (code) => fail(`ended with ${code}`))
        child.stdout.on('data', (data) => {
            told += data
            if (!told.includes(text)) return
            clearTimeout(timer)
            resolve()
        })
    })
}

async function startIn(directory) {
    const up = ['up', '--data-dir', join(directory, 'data'), '--workers', '3', '--no-sample']
    const child = spawn(CRONCTL, up, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    const stop = async () => {
        child.kill('SIGINT')
        await ended
        rmSync(directory, { recursive: true, force: true })
    }
    try {
        await printed(child, 'everytick is ready')
    } catch (error) {
        await stop()
        throw error
    }
    return stop
}

export async function startDemo() {
    const directory = mkdtempSync(join(tmpdir(), 'everytick-demo-'))
    const stop = await startIn(directory)
    const read = (name) => readFileSync(join(directory, 'data', name), 'utf8')
    const origin = JSON.parse(read('addresses.json')).api
    const headers = {
        Authorization: `Bearer ${read('admin-token').trim()}`,
        'Content-Type': 'application/json',
    }

    /** Ask the API as the installation's admin; throws for every answer that is not 2xx. */
    async function ask(method, path, body, more = {}) {
        const answer = await fetch(`${origin}/api/v1${path}`, {
            method,
            headers: { ...headers, ...more },
            body: body && JSON.stringify(body),
        })
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
        return answer.status === 204 ? null : answer.json()
    }

    const { token } = await ask('POST', '/auth/setup-token', {})
    await ask('POST', '/auth/setup', { token, ...ADMIN })
    return { origin, ask, stop, admin: ADMIN }
}
