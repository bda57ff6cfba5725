import { render } from '@testing-library/vue'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import { useServerText } from '@/composables/useServerText'
import { i18n, setLanguage } from '@/i18n'
import { refusals } from '@/i18n/en/refusals'
import { recognise, SENTENCES } from '@/i18n/sentences'
import { ApiProblem } from '@/lib/problem'

/** The whole source of the server, literals that stand one below the other being one text. */
const source = ['../master', '../common', '../worker']
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.py'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  )
  .join('\n')
  .replace(/"\s*\n\s*f?"/g, '')
  // The first letter of what was said by pydantic is made small.
  .replace('"Input should be a number', '"input should be a number')

/** What the composable gives to a component. */
function spoken(): ReturnType<typeof useServerText> {
  let given: ReturnType<typeof useServerText> | undefined
  const Probe = defineComponent({
    setup() {
      given = useServerText()
      return () => h('p')
    },
  })
  render(Probe, { global: { plugins: [i18n] } })
  if (!given) throw new Error('not set up')
  return given
}

/** Where the server puts a sentence together: around values, before a hint, between the sides of a clock. */
const SEAMS = /'?\{\w+\}'?|; | (?:ahead of|behind) /

describe('sentences of the server', () => {
  it.each([
    ['is offline', 'server.offline', {}],
    ["has no label 'gpu'", 'server.noLabel', { label: 'gpu' }],
    ['has label zone=a, the job wants b', 'server.otherLabel', { label: 'zone=a', wanted: 'b' }],
    [
      'It ran on w-1 and failed (exit_code).',
      'server.ranReason',
      { worker: 'w-1', how: 'failed', reason: 'exit_code' },
    ],
    ['It ran on w-1 and succeeded.', 'server.ran', { worker: 'w-1', how: 'succeeded' }],
    ['one of at least 7 ticks in a row with the same fate', 'server.oneOf', { count: 'at least 7' }],
    ['version 0.9.0 on host-a', 'health.version', { version: '0.9.0', host: 'host-a' }],
    ['there is no job default/backup', 'refusal.noJob', { job: 'default/backup' }],
    ["'moon' is not understood; did you mean mon?", 'field.valueClose', { value: 'moon', close: 'mon' }],
    ['input should be less than or equal to 3600', 'form.atMost', { n: '3600' }],
  ])('%s', (text, key, values) => {
    expect(recognise(text)).toEqual({ key, values })
  })

  it('another one is left as it is', () => {
    expect(recognise('bash: warehouse: command not found')).toBe(null)
  })

  it('are still what the server says', () => {
    const said = Object.entries(SENTENCES).filter(([key]) => !key.startsWith('form.'))
    const literals = said.flatMap(([, template]) => template.split(SEAMS))
    // What the server makes of two words: "is" and the state of a worker.
    const made = ['is offline', 'is draining']
    const gone = literals
      .map((literal) => literal.trim())
      .filter((literal) => literal.length > 3 && !made.includes(literal) && !source.includes(literal))

    expect(gone).toEqual([])
  })

  it('every title of the server is known by its code', () => {
    const table = /_TITLES: Final = \{(.*?)\n\}/s.exec(source)?.[1] ?? ''
    const titles = [...table.matchAll(/"(\w+)": "(.+)",/g)].map(([, code, title]) => [code, title])
    const known: Record<string, string> = refusals.problemTitle

    expect(titles.length).toBeGreaterThan(30)
    expect(titles.filter(([code, title]) => known[code ?? ''] !== title)).toEqual([])
  })
})

describe('in Chinese', () => {
  afterEach(() => setLanguage('en'))

  it.each([
    ['a problem keeps the names in it', 'there is no job default/backup', '没有任务 default/backup'],
    [
      'a right is a word',
      'this needs the right to edit in namespace shop',
      '需要在命名空间 shop 中拥有“编辑”权限',
    ],
    ['a name that is also a sentence stays a name', "there is no user 'succeeded'", '没有用户“succeeded”'],
    ['a sentence within a sentence', 'was: the clock was set 3.0 s ahead', '此前：时钟被调快 3.0 秒'],
    ['what it is about stands before it', 'minute: 61 is not within 0-59', 'minute: 61 不在 0-59 之内'],
    ['a field of a field', 'retry.delay_s: field required', 'retry.delay_s: 必填'],
    [
      'two reasons at once',
      'the clock was set 3.0 s ahead; etcd has not been looked at yet',
      '时钟被调快 3.0 秒; 尚未检查 etcd',
    ],
    ['half known is left as it came', 'is offline; and cold', 'is offline; and cold'],
    ['free text is left as it came', 'MongoDB: connection refused', 'MongoDB: connection refused'],
    [
      'what a library said is kept',
      'etcd at 127.0.0.1:2379 cannot be reached: Socket closed',
      '无法连接 127.0.0.1:2379 处的 etcd：Socket closed',
    ],
  ])('%s', async (_, text, expected) => {
    await setLanguage('zh-CN')

    expect(spoken().serverText(text)).toBe(expected)
  })

  it.each([
    ['by its code', { title: 'There is no such job', code: 'job_not_found', status: 404 }, '没有这个任务'],
    ['of a newer server', { title: 'Too warm', code: 'too_warm', status: 418 }, 'Too warm'],
    ['no answer at all', { title: '', code: 'no_answer', status: 0 }, '服务器没有响应。'],
  ])('a title: %s', async (_, problem, expected) => {
    await setLanguage('zh-CN')

    expect(spoken().problemTitle(new ApiProblem(problem))).toBe(expected)
  })

  it('in English everything is as it came', () => {
    const { serverText, problemLine } = spoken()
    const problem = new ApiProblem({
      title: 'Too often',
      detail: 'is offline',
      status: 429,
      request_id: 'a1',
    })

    expect([serverText('is offline'), problemLine(problem)]).toEqual([
      'is offline',
      'Too often · is offline · a1',
    ])
  })
})
