import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createI18n } from 'vue-i18n'
import { CAUSES, REASONS, STATUSES } from '@/lib/status'

function flat(messages: object, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(messages).flatMap(([key, value]) =>
      typeof value === 'string' ? [[prefix + key, value]] : Object.entries(flat(value, `${prefix}${key}.`)),
    ),
  )
}

/** Every area, those too that are loaded with their page. */
function merged(modules: Record<string, Record<string, object>>): object {
  const areas = Object.entries(modules).filter(([path]) => !path.endsWith('/index.ts'))
  return Object.assign({}, ...areas.flatMap(([, exports]) => Object.values(exports)))
}

const en = merged(import.meta.glob('../src/i18n/en/*.ts', { eager: true }))
const zhCN = merged(import.meta.glob('../src/i18n/zh-CN/*.ts', { eager: true }))
const english = flat(en)
const chinese = flat(zhCN)
const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(vue|ts)$/.test(name) && !name.startsWith('i18n'))
  .map((name) => readFileSync(join('src', name), 'utf8'))
  .join('\n')

describe('messages', () => {
  it('both languages have the same keys', () => {
    expect(Object.keys(chinese).sort()).toEqual(Object.keys(english).sort())
  })

  it('both languages fill in the same values', () => {
    const holes = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort()
    const unequal = Object.keys(english).filter(
      (key) => String(holes(english[key] ?? '')) !== String(holes(chinese[key] ?? '')),
    )

    expect(unequal).toEqual([])
  })

  it('no message is empty or left in English', () => {
    const same = Object.keys(english).filter((key) => !chinese[key] || chinese[key] === english[key])

    expect(same.sort()).toEqual(['footer.docs', 'worker.cpu'])
  })

  it('every key that is named in the source exists', () => {
    const named = [...source.matchAll(/\bt\(\s*'([\w.]+)'/g)].map(([, key]) => key ?? '')
    const missing = named.filter((key) => !(key in english))

    expect([named.length > 150, missing]).toEqual([true, []])
  })

  it('every status, cause and reason has a word', () => {
    const needed = [
      ...STATUSES.map((status) => `status.${status}`),
      ...CAUSES.map((cause) => `cause.${cause}`),
      ...REASONS.map((reason) => `reason.${reason}`),
    ]

    expect(needed.filter((key) => !(key in english))).toEqual([])
  })

  it.each(['en', 'zh-CN'])('every message of %s can be compiled', (locale) => {
    const messages = { en, 'zh-CN': zhCN } as unknown as Record<string, Record<string, string>>
    const { t } = createI18n({ legacy: false, locale, messages }).global

    expect(Object.keys(english).filter((key) => t(key, 1) === key)).toEqual([])
  })
})
