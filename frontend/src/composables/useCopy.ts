/** Copies a text and says for a moment that it did. */
import { useTimeoutFn } from '@vueuse/core'
import { ref } from 'vue'

export function useCopy() {
  const isCopied = ref(false)
  const { start } = useTimeoutFn(() => (isCopied.value = false), 1_500, { immediate: false })

  async function copy(text: string): Promise<void> {
    await navigator.clipboard.writeText(text)
    isCopied.value = true
    start()
  }

  return { copy, isCopied }
}
