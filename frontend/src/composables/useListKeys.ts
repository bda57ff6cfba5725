/**
 * The keyboard in a list: `j` and `k` move from row to row, further keys act on the row one is at.
 *
 * The rows are the elements with `data-row` inside *list*. The focus itself moves, to the row's `data-row-focus` or
 * else its first link or button: a screen reader follows, Enter opens, and there is no second notion of "current".
 */
import { useEventListener } from '@vueuse/core'
import { ref, toValue, type MaybeRefOrGetter } from 'vue'
import { useShortcuts } from './useShortcuts'

/** By key (`x`, `r`, `p`, `e`): what it does to the row with this index. */
export type RowActions = Partial<Record<string, (index: number) => void>>

export function useListKeys(
  list: MaybeRefOrGetter<HTMLElement | null | undefined>,
  actions: RowActions = {},
) {
  const current = ref<number | null>(null)

  function rows(): HTMLElement[] {
    return [...(toValue(list)?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]
  }

  function indexOfFocus(): number {
    const row = document.activeElement?.closest<HTMLElement>('[data-row]')
    return row ? rows().indexOf(row) : -1
  }

  function step(by: 1 | -1): void {
    const all = rows()
    const from = indexOfFocus()
    const to = from < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(from + by, 0), all.length - 1)
    const row = all[to]
    const target =
      row?.querySelector<HTMLElement>('[data-row-focus]') ?? row?.querySelector<HTMLElement>('a, button')
    target?.focus()
    row?.scrollIntoView?.({ block: 'nearest' })
  }

  function onRow(act: (index: number) => void): () => void {
    return () => {
      const index = indexOfFocus()
      if (index >= 0) act(index)
    }
  }

  useEventListener(document, 'focusin', () => {
    const index = indexOfFocus()
    current.value = index < 0 ? null : index
  })
  useShortcuts({
    j: () => step(1),
    k: () => step(-1),
    ...Object.fromEntries(Object.entries(actions).map(([key, act]) => [key, act && onRow(act)])),
  })

  return { current }
}
