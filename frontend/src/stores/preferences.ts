/** How this viewer wants the dashboard: zone, language, theme. Kept in localStorage, for all tabs. */
import { usePreferredDark, useStorage } from '@vueuse/core'
import { defineStore } from 'pinia'
import { computed, watchEffect } from 'vue'
import { isZone } from '@/lib/time'

export type Theme = 'auto' | 'light' | 'dark'
export type Language = 'en' | 'zh-CN'

function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}

function browserLanguage(): Language {
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en'
}

export const usePreferences = defineStore('preferences', () => {
  /** `browser`, or an IANA zone. */
  const zoneChoice = useStorage('everytick.zone', 'browser')
  const language = useStorage<Language>('everytick.language', browserLanguage())
  const theme = useStorage<Theme>('everytick.theme', 'auto')
  const prefersDark = usePreferredDark()

  const zone = computed(() =>
    zoneChoice.value !== 'browser' && isZone(zoneChoice.value) ? zoneChoice.value : browserZone(),
  )
  const isDark = computed(() => theme.value === 'dark' || (theme.value === 'auto' && prefersDark.value))

  watchEffect(() => {
    document.documentElement.dataset.bsTheme = isDark.value ? 'dark' : 'light'
    document.documentElement.lang = language.value
  })

  return { zoneChoice, zone, language, theme, isDark }
})
