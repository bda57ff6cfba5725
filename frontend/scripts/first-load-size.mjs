/**
 * Fails when the first load of the dashboard weighs more than its budget.
 *
 * Counted: index.html, what it names, the shell and the first page, and every chunk those import statically, with
 * their styles, gzip level 9.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

/** Chunks that are imported dynamically but are always there on the first page. */
const FIRST_PAGE = /^(AppShell|OverviewPage)-.*\.(js|css)$/
const BUDGET_BYTES = 160 * 1024
const root = join(dirname(fileURLToPath(import.meta.url)), '../../master/static')

const seen = new Map()

function count(path) {
    if (seen.has(path)) return
    const bytes = readFileSync(join(root, path))
    seen.set(path, gzipSync(bytes, { level: 9 }).length)
    if (!path.endsWith('.js')) return
    const statics = bytes
        .toString()
        .matchAll(/(?:^|[;}\s])(?:import|export)\s*(?:[\w*{}\s,$]+from\s*)?["'](\.[^"']+)["']/g)
    for (const [, target] of statics) count(posix.normalize(posix.join(posix.dirname(path), target)))
}

const html = readFileSync(join(root, 'index.html'), 'utf8')
count('index.html')
for (const [, path] of html.matchAll(/(?:src|href)="\/([^"]+)"/g)) count(path)

for (const name of readdirSync(join(root, 'assets'))) if (FIRST_PAGE.test(name)) count(`assets/${name}`)

const total = [...seen.values()].reduce((sum, size) => sum + size, 0)
for (const [path, size] of [...seen].sort((a, b) => b[1] - a[1])) {
    console.log(`${(size / 1024).toFixed(1).padStart(7)} KB  ${path}`)
}
console.log(
    `${(total / 1024).toFixed(1).padStart(7)} KB  first load, budget ${BUDGET_BYTES / 1024} KB (gzip)`,
)
if (total > BUDGET_BYTES) {
    console.error('The first load is over its budget.')
    process.exit(1)
}
