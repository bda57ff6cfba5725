/**
 * The output of one execution: the end first, then whatever is written, without a hole.
 *
 * The first answer is the tail. From then on only chunks after the newest one are asked for, until the execution
 * has finished and nothing more came. What lies before the tail is fetched on demand, chunk page by chunk page.
 */
import { useTimeoutFn } from '@vueuse/core'
import {
  computed,
  onScopeDispose,
  ref,
  shallowRef,
  triggerRef,
  toValue,
  watch,
  type MaybeRefOrGetter,
} from 'vue'
import { client, download, unwrap } from '@/api/client'
import type { Output } from '@/api/types'
import { OutputBuffer, type Gap, type OutputFilter } from '@/lib/outputBuffer'
import { nextPollMs } from '@/lib/polling'
import { asProblem, type ApiProblem } from '@/lib/problem'
import { useLiveness } from '@/stores/liveness'

const TAIL_LINES = 2_000
const FOLLOW_MS = 1_000

interface OutputQuery {
  after_seq?: number
  tail?: number
}

export function useExecutionOutput(
  id: MaybeRefOrGetter<string>,
  filter: MaybeRefOrGetter<OutputFilter>,
  /** How many lines there are in all, once the execution has ended and nothing was dropped. */
  totalLines: MaybeRefOrGetter<number | null>,
) {
  const buffer = shallowRef(new OutputBuffer())
  const isFinished = ref(false)
  /** The newest chunk there is is the last one there will be. */
  const hasEnd = ref(false)
  const isLoading = ref(true)
  const isFilling = ref(false)
  const isTruncated = ref(false)
  const droppedBytes = ref(0)
  const problem = shallowRef<ApiProblem | null>(null)
  const abort = new AbortController()
  let nextSeq: number | null = null
  let failuresInARow = 0

  // Lines are counted from the end only where the end is here: the last of them may still be on their way.
  const rows = computed(() => buffer.value.rows(toValue(filter), hasEnd.value ? toValue(totalLines) : null))

  async function ask(query: OutputQuery): Promise<Output> {
    const params = { path: { execution_id: toValue(id) }, query }
    const answer = await unwrap(
      client.GET('/api/v1/execution/{execution_id}/output', { params, signal: abort.signal }),
    )
    // The same address gives text for `format=raw`, which is not asked for here.
    return answer as Output
  }

  async function followOnce(): Promise<void> {
    try {
      const isTail = nextSeq === null
      const answer = await ask(nextSeq === null ? { tail: TAIL_LINES } : { after_seq: nextSeq - 1 })
      const added = isTail ? buffer.value.addTail(answer.lines) : buffer.value.add(answer.lines)
      if (added > 0) triggerRef(buffer)
      const cameMore = nextSeq === null || answer.next_seq > nextSeq
      nextSeq = Math.max(nextSeq ?? 0, answer.next_seq)
      hasEnd.value = answer.finished
      isTruncated.value = answer.truncated
      droppedBytes.value = answer.dropped_bytes
      // The last chunk may be written just after the status: one more question settles it.
      isFinished.value = answer.finished && !cameMore
      problem.value = null
      failuresInARow = 0
    } catch (error) {
      if (abort.signal.aborted) return
      problem.value = asProblem(error)
      failuresInARow += 1
    } finally {
      isLoading.value = false
      if (!abort.signal.aborted && !isFinished.value) followSoon()
    }
  }

  const timer = useTimeoutFn(
    () => void followOnce(),
    () => nextPollMs(FOLLOW_MS, failuresInARow),
    { immediate: false },
  )
  const followSoon = () => timer.start()

  // The pauses have grown while the server was away: what is said to be live must not wait for the end of one.
  const liveness = useLiveness()
  watch(
    () => liveness.isLive,
    (isLive) => {
      if (!isLive || failuresInARow === 0 || !timer.isPending.value) return
      timer.stop()
      void followOnce()
    },
  )

  /** Fetch what is missing between two chunks. */
  async function fill(gap: Gap): Promise<void> {
    await whileFilling(() => load(gap))
  }

  /** Fetch everything that is missing: to search all of it, or to show a line far above. */
  async function fillAll(): Promise<void> {
    await whileFilling(async () => {
      // Chunks that have expired on the server stay missing: each gap is asked for once.
      for (const gap of buffer.value.missing) await load(gap)
    })
  }

  async function load({ from, to }: Gap): Promise<void> {
    let after = from - 1
    while (after < to) {
      const answer = await ask({ after_seq: after })
      const last = answer.lines.at(-1)?.seq
      if (last === undefined || last <= after) break
      buffer.value.add(answer.lines)
      triggerRef(buffer)
      after = last
    }
  }

  async function whileFilling(filling: () => Promise<void>): Promise<void> {
    if (isFilling.value) return
    isFilling.value = true
    try {
      await filling()
    } catch (error) {
      if (!abort.signal.aborted) problem.value = asProblem(error)
    } finally {
      isFilling.value = false
    }
  }

  /** Save the output as the server has it, without escape sequences being touched. */
  async function saveRaw(): Promise<void> {
    try {
      const blob = await download(`/api/v1/execution/${encodeURIComponent(toValue(id))}/output?format=raw`)
      const link = document.createElement('a')
      link.href = URL.createObjectURL(blob)
      link.download = `${toValue(id)}.log`
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
    } catch (error) {
      problem.value = asProblem(error)
    }
  }

  onScopeDispose(() => abort.abort())
  void followOnce()

  return {
    rows,
    problem,
    isLoading,
    isFinished,
    isFilling,
    isTruncated,
    droppedBytes,
    hasGaps: computed(() => buffer.value.missing.length > 0),
    fill,
    fillAll,
    saveRaw,
    retry: () => void followOnce(),
  }
}
