/** Provides zone, language, the viewer's clock and the server's sentences to every component below. */
import { useDocumentVisibility, useIntervalFn } from '@vueuse/core'
import { storeToRefs } from 'pinia'
import { provide, ref, watch } from 'vue'
import { displayKey } from '@/lib/display'
import { usePreferences } from '@/stores/preferences'
import { useServerText } from './useServerText'

export function useDisplaySettings() {
  const { zone, language } = storeToRefs(usePreferences())
  const now = ref(Date.now())
  const clock = useIntervalFn(() => (now.value = Date.now()), 1000, { immediateCallback: true })
  // The clock draws every countdown again: not where nobody looks.
  watch(useDocumentVisibility(), (state) => (state === 'hidden' ? clock.pause() : clock.resume()))
  const { serverText, problemTitle } = useServerText()
  const display = { zone, locale: language, now, serverText, problemTitle }
  provide(displayKey, display)
  return display
}
