import { QueryClient, useQuery, VueQueryPlugin } from '@tanstack/vue-query'
import { render } from '@testing-library/vue'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'
import type { StreamHandlers } from '@/api/eventStream'
import { useLiveEvents } from '@/composables/useLiveEvents'
import { useLiveness } from '@/stores/liveness'

function mounted(askJobs: () => Promise<number>) {
  const pinia = createPinia()
  let stream: StreamHandlers | undefined
  let left = false
  const queries = new QueryClient()
  const view = render(
    defineComponent(() => {
      useQuery({ queryKey: ['jobs', { q: '' }], queryFn: askJobs })
      useLiveEvents((handlers) => {
        stream = handlers
        return () => (left = true)
      })
      return () => null
    }),
    { global: { plugins: [pinia, [VueQueryPlugin, { queryClient: queries }]] } },
  )
  return {
    stream: stream as StreamHandlers,
    view,
    queries,
    liveness: useLiveness(pinia),
    hasLeft: () => left,
  }
}

const jobEvent = '{"namespace":"ops","name":"a"}'

describe('useLiveEvents', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('a thousand events within a second are two fetches', async () => {
    let asked = 0
    const { stream, view } = mounted(async () => ++asked)
    await vi.advanceTimersByTimeAsync(10)
    for (let i = 0; i < 1_000; i += 1) {
      stream.onEvent('job', jobEvent)
      await vi.advanceTimersByTimeAsync(1)
    }
    await vi.advanceTimersByTimeAsync(5_000)
    view.unmount()

    expect(asked).toBe(3) // the first of the page, and two
  })

  it('an event during a fetch does not cancel it and is not lost', async () => {
    let [asked, finished] = [0, 0]
    const { stream, view } = mounted(async () => {
      asked += 1
      await new Promise((resolve) => setTimeout(resolve, 4_000))
      return ++finished
    })
    stream.onEvent('job', jobEvent)
    await vi.advanceTimersByTimeAsync(3_500)
    const during = [asked, finished]
    await vi.advanceTimersByTimeAsync(8_000)
    view.unmount()

    expect([during, asked, finished]).toEqual([[1, 0], 2, 2])
  })

  it('what no event names is left alone', async () => {
    let asked = 0
    const { stream, view } = mounted(async () => ++asked)
    await vi.advanceTimersByTimeAsync(10)
    stream.onEvent('weather', '{}')
    await vi.advanceTimersByTimeAsync(5_000)
    view.unmount()

    expect(asked).toBe(1)
  })

  it('a hidden tab does nothing, and is current as soon as one turns to it', async () => {
    const visibility = vi.spyOn(document, 'visibilityState', 'get')
    const turn = (state: DocumentVisibilityState) => {
      visibility.mockReturnValue(state)
      document.dispatchEvent(new Event('visibilitychange'))
    }
    let asked = 0
    const { stream, view, queries } = mounted(async () => ++asked)
    await vi.advanceTimersByTimeAsync(10)
    let noted = 0
    const stop = queries.getQueryCache().subscribe(() => (noted += 1))
    stream.onEvent('job', jobEvent)
    turn('hidden')
    for (let i = 0; i < 100; i += 1) {
      stream.onEvent('job', jobEvent)
      await vi.advanceTimersByTimeAsync(100)
    }
    const [askedHidden, notedHidden] = [asked, noted]
    turn('visible')
    await vi.advanceTimersByTimeAsync(10)
    stop()
    view.unmount()
    visibility.mockRestore()

    expect([askedHidden, notedHidden, asked]).toEqual([1, 0, 2])
  })

  it('a tab that missed nothing asks nothing when one turns to it', async () => {
    let asked = 0
    const { view } = mounted(async () => ++asked)
    await vi.advanceTimersByTimeAsync(10)
    document.dispatchEvent(new Event('visibilitychange'))
    await vi.advanceTimersByTimeAsync(5_000)
    view.unmount()

    expect(asked).toBe(1)
  })

  it('tells the badge, and leaves the stream with its page', () => {
    const { stream, view, liveness, hasLeft } = mounted(async () => 0)
    stream.onState('live')
    const before = liveness.state
    view.unmount()

    expect([before, hasLeft(), liveness.state]).toEqual(['live', true, 'polling'])
  })
})
