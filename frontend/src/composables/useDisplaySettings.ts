/** Provides zone, language, the viewer's clock and the server's sentences to every component below. */
import { useIntervalFn } from '@vueuse/core'
import { storeToRefs } from 'pinia'
import { provide, ref } from 'vue'
import { displayKey } from '@/lib/display'
import { usePreferences } from '@/stores/preferences'
import { useServerText } from './useServerText'

export function useDisplaySettings() {
  const { zone, language } = storeToRefs(usePreferences())
  const now = ref(Date.now())
  useIntervalFn(() => (now.value = Date.now()), 1000)
  const { serverText, problemTitle } = useServerText()
  const display = { zone, locale: language, now, serverText, problemTitle }
  provide(displayKey, display)
  return display
}
