import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openEventStream, type StreamHandlers } from '@/api/eventStream'
import { joinEventStream, type SharedStreamPlatform } from '@/api/sharedStream'

/** What a browser's EventSource does, by hand. */
class FakeSource extends EventTarget {
  static all: FakeSource[] = []
  readyState = 0
  isClosed = false
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null
  constructor() {
    super()
    FakeSource.all.push(this)
  }
  opens(): void {
    this.readyState = 1
    this.onopen?.()
  }
  breaks(state: 0 | 2): void {
    this.readyState = state
    this.onerror?.()
  }
  tells(name: string, data = '{}'): void {
    this.dispatchEvent(new MessageEvent(name, { data }))
  }
  close(): void {
    this.isClosed = true
  }
}

function listener() {
  const heard: string[] = []
  const handlers: StreamHandlers = {
    onState: (state) => heard.push(state),
    onEvent: (name, data) => heard.push(`${name} ${data}`),
  }
  return { heard, handlers }
}

const newSource = () => new FakeSource() as unknown as EventSource
const last = () => FakeSource.all.at(-1) as FakeSource

beforeEach(() => {
  FakeSource.all = []
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('openEventStream', () => {
  it('hands on events while it is live', () => {
    const { heard, handlers } = listener()
    openEventStream(handlers, newSource)
    last().opens()
    last().tells('job', '{"name":"a"}')
    last().tells('hello')

    expect(heard).toEqual(['live', 'job {"name":"a"}'])
  })

  it('a broken connection is reconnecting, and after ten seconds polling', async () => {
    const { heard, handlers } = listener()
    openEventStream(handlers, newSource)
    last().opens()
    last().breaks(0)
    last().breaks(0)
    await vi.advanceTimersByTimeAsync(11_000)
    last().opens()

    expect([heard, FakeSource.all.length]).toEqual([['live', 'reconnecting', 'polling', 'live'], 1])
  })

  it('a refused stream is opened anew with growing pauses, and then everything is fetched', async () => {
    const { heard, handlers } = listener()
    openEventStream(handlers, newSource)
    last().opens()
    last().breaks(2)
    await vi.advanceTimersByTimeAsync(2_000)
    last().breaks(2)
    await vi.advanceTimersByTimeAsync(2_000)
    const tooEarly = FakeSource.all.length
    await vi.advanceTimersByTimeAsync(2_000)
    last().opens()

    expect([tooEarly, FakeSource.all.length, heard]).toEqual([
      2,
      3,
      ['live', 'reconnecting', 'live', 'resync {}'],
    ])
  })

  it('a server without a stream means polling at once', () => {
    const { heard, handlers } = listener()
    openEventStream(handlers, newSource)
    last().breaks(2)

    expect(heard).toEqual(['polling'])
  })

  it('nothing is opened after it was closed', async () => {
    const { handlers } = listener()
    const close = openEventStream(handlers, newSource)
    last().breaks(2)
    close()
    await vi.advanceTimersByTimeAsync(120_000)

    expect([FakeSource.all.length, last().isClosed]).toEqual([1, true])
  })
})

/** The browser around several tabs: one lock in turn, channels that hear all but themselves. */
function browser() {
  const waiting: (() => void)[] = []
  const channels = new Set<{ onmessage: ((event: MessageEvent) => void) | null }>()
  let isHeld = false
  const locks = {
    async request(_name: string, { signal }: LockOptions, hold: () => Promise<void>) {
      if (isHeld) {
        await new Promise<void>((resolve, reject) => {
          waiting.push(resolve)
          signal?.addEventListener('abort', () => reject(new Error('left')))
        })
      }
      isHeld = true
      await hold()
      isHeld = false
      waiting.shift()?.()
    },
  }
  const newChannel = () => {
    const channel = {
      onmessage: null as ((event: MessageEvent) => void) | null,
      postMessage(data: unknown) {
        for (const other of channels) if (other !== channel) other.onmessage?.({ data } as MessageEvent)
      },
      close: () => void channels.delete(channel),
    }
    channels.add(channel)
    return channel
  }
  return {
    page: document,
    locks,
    newChannel,
    open: (handlers: StreamHandlers) => openEventStream(handlers, newSource),
  } as unknown as SharedStreamPlatform
}

const settled = () => vi.advanceTimersByTimeAsync(0)

describe('joinEventStream', () => {
  it('twenty tabs share one stream and all hear the same', async () => {
    const platform = browser()
    const tabs = Array.from({ length: 20 }, listener)
    for (const { handlers } of tabs) joinEventStream(handlers, platform)
    await settled()
    last().opens()
    last().tells('job', '{"name":"a"}')

    expect(FakeSource.all.length).toBe(1)
    for (const { heard } of tabs) expect(heard).toEqual(['live', 'job {"name":"a"}'])
  })

  it('a tab that opens later learns that the stream is live', async () => {
    const platform = browser()
    joinEventStream(listener().handlers, platform)
    await settled()
    last().opens()
    const late = listener()
    joinEventStream(late.handlers, platform)

    expect(late.heard).toEqual(['live'])
  })

  it('when the tab with the stream closes, the next one takes over and everything is fetched', async () => {
    const platform = browser()
    const [first, second, third] = [listener(), listener(), listener()]
    const leave = joinEventStream(first.handlers, platform)
    joinEventStream(second.handlers, platform)
    joinEventStream(third.handlers, platform)
    await settled()
    last().opens()
    leave()
    await settled()
    const old = FakeSource.all[0] as FakeSource
    last().opens()

    expect([old.isClosed, FakeSource.all.length, second.heard, third.heard]).toEqual([
      true,
      2,
      ['live', 'resync {}'],
      ['live', 'resync {}'],
    ])
  })

  it('without locks each tab has its own', async () => {
    const platform = { ...browser(), locks: undefined }
    joinEventStream(listener().handlers, platform)
    joinEventStream(listener().handlers, platform)
    await settled()

    expect(FakeSource.all.length).toBe(2)
  })
})
