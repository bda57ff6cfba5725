/** The two languages. The words of the first page are always there in English; the rest is loaded when it is needed. */
import { shallowRef } from 'vue'
import { createI18n } from 'vue-i18n'
import type { Recognise } from '@/lib/serverText'
import { en, type Messages } from './en'

export type Language = 'en' | 'zh-CN'

export const i18n = createI18n<[Messages], Language, false>({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en } as unknown as Record<Language, Messages>,
})

/** Which sentence of the server a text is. None is known before a language is chosen that says them otherwise. */
export const recogniseSentence = shallowRef<Recognise>(() => null)

/** Messages that are loaded with the page that needs them, so that the first page does not wait for them. */
const AREAS = {
  account: { en: () => import('./en/account'), 'zh-CN': () => import('./zh-CN/account') },
  admin: { en: () => import('./en/admin'), 'zh-CN': () => import('./zh-CN/admin') },
  palette: { en: () => import('./en/palette'), 'zh-CN': () => import('./zh-CN/palette') },
  welcome: { en: () => import('./en/welcome'), 'zh-CN': () => import('./zh-CN/welcome') },
} satisfies Record<string, Record<Language, () => Promise<{ default: object }>>>

export type Area = keyof typeof AREAS
const wanted = new Set<Area>()

async function addArea(area: Area, language: Language): Promise<void> {
  const loaders: Record<Language, () => Promise<{ default: object }>> = AREAS[area]
  const messages = (await loaders[language]()).default
  i18n.global.mergeLocaleMessage(language, messages)
}

/** Have the messages of *areas*, in the language of now and in any that is chosen later. */
export async function useMessagesOf(...areas: Area[]): Promise<void> {
  const fresh = areas.filter((area) => !wanted.has(area))
  for (const area of fresh) wanted.add(area)
  await Promise.all(fresh.map((area) => addArea(area, i18n.global.locale.value)))
}

export async function setLanguage(language: Language): Promise<void> {
  if (language === 'zh-CN' && !i18n.global.availableLocales.includes('zh-CN')) {
    const { zhCN, recognise } = await import('./zh-CN')
    i18n.global.setLocaleMessage('zh-CN', zhCN)
    recogniseSentence.value = recognise
  }
  await Promise.all([...wanted].map((area) => addArea(area, language)))
  i18n.global.locale.value = language
}
