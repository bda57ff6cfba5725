import { useTitle } from '@vueuse/core'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'

/** Names the browser tab after what it shows. */
export function usePageTitle(title: MaybeRefOrGetter<string>): void {
  useTitle(computed(() => (toValue(title) ? `${toValue(title)} · everytick` : 'everytick')))
}
