import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { render } from '@testing-library/vue'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { useLiveQuery } from '@/composables/useLiveQuery'
import { ApiProblem } from '@/lib/problem'
import { useLiveness } from '@/stores/liveness'

type Live = ReturnType<typeof useLiveQuery<number>>

function mounted(ask: (signal: AbortSignal) => Promise<number>, intervalMs = 1_000) {
  const pinia = createPinia()
  setActivePinia(pinia)
  let live: Live | undefined
  const view = render(
    defineComponent(() => {
      live = useLiveQuery(['n'], ask, { intervalMs })
      return () => h('p', String(live?.data.value))
    }),
    { global: { plugins: [pinia, [VueQueryPlugin, { queryClient: new QueryClient() }]] } },
  )
  return { live: live as Live, view, liveness: useLiveness() }
}

describe('useLiveQuery', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('asks again after its interval', async () => {
    let asked = 0
    const { live, view } = mounted(async () => ++asked)
    await vi.advanceTimersByTimeAsync(2_500)
    view.unmount()

    expect([asked, live.data.value]).toEqual([3, 3])
  })

  it('keeps the last good answer, says that it is stale, and goes on with growing pauses', async () => {
    let asked = 0
    const { live, view, liveness } = mounted(async () => {
      asked += 1
      if (asked === 1) return 7
      throw new TypeError('Failed to fetch')
    })
    await vi.advanceTimersByTimeAsync(1_000)
    const afterOneFailure = [asked, live.data.value, live.isStale.value, liveness.state]
    await vi.advanceTimersByTimeAsync(1_900)
    const tooEarly = asked
    await vi.advanceTimersByTimeAsync(200)
    view.unmount()

    expect([afterOneFailure, tooEarly, asked]).toEqual([[2, 7, true, 'reconnecting'], 2, 3])
  })

  it('a refused question is an answer: nothing is stale', async () => {
    const { live, view, liveness } = mounted(() =>
      Promise.reject(new ApiProblem({ title: 'Not found', status: 404 })),
    )
    await vi.advanceTimersByTimeAsync(10)
    view.unmount()

    expect([live.problem.value?.status, live.isLoading.value, liveness.state]).toEqual([
      404,
      false,
      'polling',
    ])
  })

  it('asks rarely while events tell what changed, and as before once they stop', async () => {
    let asked = 0
    const { view, liveness } = mounted(async () => ++asked)
    await vi.advanceTimersByTimeAsync(10)
    liveness.stream = 'live'
    await vi.advanceTimersByTimeAsync(25_000)
    const whileLive = asked
    await vi.advanceTimersByTimeAsync(6_000)
    const afterHalfAMinute = asked
    liveness.stream = 'reconnecting'
    await vi.advanceTimersByTimeAsync(2_100)
    view.unmount()

    expect([whileLive, afterHalfAMinute, asked]).toEqual([1, 2, 4])
  })

  it('stops when nobody looks any more', async () => {
    let asked = 0
    const { view } = mounted(async () => ++asked)
    await vi.advanceTimersByTimeAsync(10)
    view.unmount()
    await vi.advanceTimersByTimeAsync(10_000)

    expect(asked).toBe(1)
  })
})
