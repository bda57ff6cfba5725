import { cleanup, fireEvent, render } from '@testing-library/vue'
import { afterEach, describe, expect, it } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { useListKeys } from '@/composables/useListKeys'
import { useShortcuts } from '@/composables/useShortcuts'

function mounted() {
  const done: string[] = []
  const view = render(
    defineComponent(() => {
      const list = ref<HTMLElement | null>(null)
      useListKeys(list, {
        e: (index) => done.push(`edit ${index}`),
        x: (index) => done.push(`select ${index}`),
      })
      useShortcuts({ 'g e': () => done.push('go'), n: () => done.push('new') })
      const row = (name: string) => h('li', { 'data-row': '' }, h('a', { href: '#' }, name))
      return () => h('div', [h('ul', { ref: list }, ['a', 'b', 'c'].map(row)), h('input')])
    }),
  )
  const press = async (keys: string, on: Element = document.body) => {
    for (const key of keys.split(' ')) await fireEvent.keyDown(on, { key })
  }
  return { done, view, press, at: () => document.activeElement?.textContent }
}

describe('useListKeys', () => {
  afterEach(cleanup)

  it('j and k move the focus and stop at the ends', async () => {
    const { press, at } = mounted()
    const seen = []
    for (const key of ['j', 'j', 'j', 'j', 'k']) {
      await press(key)
      seen.push(at())
    }

    expect(seen).toEqual(['a', 'b', 'c', 'c', 'b'])
  })

  it('acts on the row one is at, and on none before that', async () => {
    const { press, done } = mounted()
    await press('x j j x e')

    expect(done).toEqual(['select 1', 'edit 1'])
  })

  it('after g the next key is not taken for a key of the list', async () => {
    const { press, done } = mounted()
    await press('j g e e n')

    expect(done).toEqual(['go', 'edit 0', 'new'])
  })

  it('does nothing while one is typing', async () => {
    const { press, done, view } = mounted()
    await press('n x', view.getByRole('textbox'))

    expect(done).toEqual([])
  })
})
