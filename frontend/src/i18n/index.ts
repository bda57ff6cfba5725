/** The two languages. English is always there; Chinese is loaded when it is chosen. */
import { createI18n } from 'vue-i18n'
import { en, type Messages } from './en'

export type Language = 'en' | 'zh-CN'

export const i18n = createI18n<[Messages], Language, false>({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en } as unknown as Record<Language, Messages>,
})

export async function setLanguage(language: Language): Promise<void> {
  if (language === 'zh-CN' && !i18n.global.availableLocales.includes('zh-CN')) {
    const { zhCN } = await import('./zh-CN')
    i18n.global.setLocaleMessage('zh-CN', zhCN)
  }
  i18n.global.locale.value = language
}
