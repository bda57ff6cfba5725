/**
 * How this viewer wants times shown, handed down to every component.
 *
 * The shell provides it once; components only read it, so that they need neither a store nor a clock.
 */
import { inject, type InjectionKey, type Ref } from 'vue'
import type { ApiProblem } from './problem'

export interface Display {
  /** The IANA zone all times are shown in. */
  zone: Readonly<Ref<string>>
  locale: Readonly<Ref<'en' | 'zh-CN'>>
  /** The viewer's clock, epoch milliseconds, once a second. */
  now: Readonly<Ref<number>>
  /** A sentence of the server in the viewer's language, where it is a known one; else as it is. */
  serverText(text: string): string
  /** What went wrong, in a few words of the viewer's language. */
  problemTitle(problem: ApiProblem): string
}

export const displayKey: InjectionKey<Display> = Symbol('display')

export function useDisplay(): Display {
  const display = inject(displayKey)
  if (!display) throw new Error('No display settings provided: the application shell does it.')
  return display
}
