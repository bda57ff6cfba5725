/**
 * Single keys and sequences that start with `g` (`g j`), while one is not typing and no dialog is open.
 *
 * Several may be in use at once: after `g` none of them takes the next key for a single one. Keys with Ctrl, Alt or Meta belong to the browser.
 */
import { useEventListener } from '@vueuse/core'

const PREFIX = 'g'
const SEQUENCE_MS = 1_000

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  )
}

export function useShortcuts(shortcuts: Record<string, (() => void) | undefined>): void {
  let prefixAt: number | null = null

  useEventListener(document, 'keydown', (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || isTyping(event.target)) return
    if (document.querySelector('dialog[open]')) return
    const isSecond = prefixAt !== null && event.timeStamp - prefixAt < SEQUENCE_MS
    const act = shortcuts[isSecond ? `${PREFIX} ${event.key}` : event.key]
    prefixAt = !isSecond && event.key === PREFIX ? event.timeStamp : null
    if (!act) return
    event.preventDefault()
    act()
  })
}
