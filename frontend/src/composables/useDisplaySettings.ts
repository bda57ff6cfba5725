/** Provides zone, language and the viewer's clock to every component below. */
import { useIntervalFn } from '@vueuse/core'
import { storeToRefs } from 'pinia'
import { provide, ref } from 'vue'
import { displayKey } from '@/lib/display'
import { usePreferences } from '@/stores/preferences'

export function useDisplaySettings() {
  const { zone, language } = storeToRefs(usePreferences())
  const now = ref(Date.now())
  useIntervalFn(() => (now.value = Date.now()), 1000)
  const display = { zone, locale: language, now }
  provide(displayKey, display)
  return display
}
