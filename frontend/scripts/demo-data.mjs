/** Jobs as a small shop has them, made and run through the API: some go well, one fails, one cannot run anywhere. */

const SHOP = { namespace: 'shop', timezone: 'Europe/Berlin', labels: { team: 'shop' } }
const OPS = { namespace: 'ops', timezone: 'UTC', labels: { team: 'ops' } }
const nap = 'sleep 0.$((RANDOM % 9 + 1))'

export const REINDEX = `for part in $(seq 1 400); do
  printf '\\033[2m%s\\033[0m part %03d of 400: \\033[32m%d documents\\033[0m\\n' "$(date +%T)" $part $((RANDOM % 900 + 100))
  [ $((part % 17)) = 0 ] && echo "part $part: slow answer from the search server, trying again" >&2
  sleep 0.25
done`

const JOBS = [
    {
        ...SHOP,
        name: 'import-orders',
        schedule: '*/10 * * * * *',
        command: `echo "reading orders"; ${nap}; ${nap}; echo "$((RANDOM % 40)) orders imported"`,
        description: 'New orders from the market place',
    },
    {
        ...SHOP,
        name: 'sync-stock',
        schedule: '*/15 * * * * *',
        command: `${nap}; [ $((RANDOM % 4)) = 0 ] && { echo "warehouse: connection refused" >&2; exit 1; }; echo "in step"`,
        description: 'Stock levels to the web shop',
    },
    {
        ...SHOP,
        name: 'newsletter',
        schedule: '0 8 * * 1-5',
        command: `${nap}; echo "sent"`,
        description: 'Morning newsletter',
    },
    {
        ...SHOP,
        name: 'price-list',
        schedule: '*/5 * * * *',
        command: `${nap}; ${nap}; echo "1,204 prices written"`,
        description: 'Prices for resellers',
    },
    {
        ...OPS,
        name: 'backup-database',
        schedule: '30 2 * * *',
        command: `echo saving; ${nap}; ${nap}; echo saved`,
        env: { PGPASSWORD: { secret: true, value: 'not a real one' }, TARGET: '/srv/backup' },
        description: 'Nightly dump of the shop',
        retry: { max_attempts: 3, delay_s: 5 },
    },
    {
        ...OPS,
        name: 'check-certificates',
        schedule: '0 6 * * *',
        command: `${nap}; echo "12 certificates are good for 30 days or more"`,
        description: 'Warns 30 days before one ends',
    },
    {
        ...OPS,
        name: 'health-check',
        schedule: '@every 20s',
        command: `${nap}; echo ok`,
        description: 'Asks every service for a sign of life',
    },
    {
        ...OPS,
        name: 'rotate-logs',
        schedule: '0 * * * *',
        command: `${nap}; echo "rotated"`,
        description: 'Keeps four weeks',
    },
    {
        ...OPS,
        name: 'train-recommender',
        schedule: '* * * * *',
        command: 'sleep 70; echo trained',
        timeout_s: 600,
        description: 'Learns from the orders of the day',
    },
    {
        ...OPS,
        name: 'render-previews',
        schedule: '*/30 * * * * *',
        command: 'echo rendering',
        target: { labels: { gpu: 'yes' } },
        description: 'Needs a worker with a graphics card',
    },
    {
        ...OPS,
        name: 'reindex-search',
        schedule: '0 4 * * 0',
        command: REINDEX,
        timeout_s: 900,
        description: 'Builds the search index anew',
    },
    {
        ...OPS,
        name: 'vacuum-history',
        schedule: '15 4 1 * *',
        enabled: false,
        command: 'echo vacuumed',
        description: 'Resting until the move is done',
    },
]
/** Run by hand, one after the other, so that their strips are full. */
const NIGHTLY = [
    'shop/newsletter',
    'shop/price-list',
    'ops/backup-database',
    'ops/check-certificates',
    'ops/rotate-logs',
]
const RUNS = 18

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function runToItsEnd(ask, job) {
    const [namespace, name] = job.split('/')
    const { execution_id: id } = await ask('POST', `/job/run/${name}?namespace=${namespace}`, {})
    for (;;) {
        await pause(400)
        const found = await ask('GET', `/execution/${id}`).catch(() => null)
        if (found?.finished_at) return
    }
}

/** Fill the installation; resolves with the id of an execution that still runs. */
export async function fill({ ask }, { seconds }) {
    const began = Date.now()
    for (const job of JOBS) await ask('POST', '/job/save', job)
    await ask('POST', '/job/save', {
        ...JOBS[0],
        timeout_s: 120,
        description: 'New orders from both market places',
    })
    const users = [
        ['jonas', 'Jonas Weber', [{ role: 'editor', namespaces: ['shop'] }]],
        ['li.na', '李娜', [{ role: 'operator', namespaces: ['ops', 'shop'] }]],
    ]
    for (const [name, display_name, roles] of users) {
        const user = { name, display_name, roles, password: 'seven quiet lanterns' }
        await ask('POST', '/user/save', user, { 'If-None-Match': '*' })
    }
    await Promise.all(
        NIGHTLY.map(async (job) => {
            for (let count = 0; count < RUNS; count += 1) await runToItsEnd(ask, job)
        }),
    )
    await pause(Math.max(0, seconds * 1000 - (Date.now() - began)))
    const { execution_id } = await ask('POST', '/job/run/reindex-search?namespace=ops', {})
    await pause(15_000)
    return execution_id
}
