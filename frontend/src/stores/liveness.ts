/**
 * Whether what is on the screen is still true.
 *
 * Every answer and every failure of a poll is noted here; `stale` means that the newest attempt failed. `live`
 * is for an event stream; without one the dashboard polls.
 */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

export type Liveness = 'live' | 'polling' | 'stale'

export const useLiveness = defineStore('liveness', () => {
  const lastAnswerAt = ref<number | null>(null)
  const failures = ref(0)
  const hasEventStream = ref(false)

  const state = computed<Liveness>(() => {
    if (failures.value > 0) return 'stale'
    return hasEventStream.value ? 'live' : 'polling'
  })

  function noteAnswer(at: number): void {
    lastAnswerAt.value = at
    failures.value = 0
  }

  function noteFailure(): void {
    failures.value += 1
  }

  return { state, lastAnswerAt, failures, hasEventStream, noteAnswer, noteFailure }
})
