/**
 * Single keys and two-key sequences (`g j`), while one is not typing.
 *
 * Keys with Ctrl, Alt or Meta belong to the browser.
 */
import { useEventListener } from '@vueuse/core'

const SEQUENCE_MS = 1_000

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  )
}

export function useShortcuts(shortcuts: Record<string, () => void>): void {
  let before: { key: string; at: number } | null = null

  useEventListener(document, 'keydown', (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || isTyping(event.target)) return
    if (document.querySelector('.modal.show')) return
    const isSecond = before !== null && event.timeStamp - before.at < SEQUENCE_MS
    const act = (isSecond && shortcuts[`${before?.key} ${event.key}`]) || shortcuts[event.key]
    before = { key: event.key, at: event.timeStamp }
    if (!act) return
    event.preventDefault()
    before = null
    act()
  })
}
