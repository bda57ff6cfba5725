/**
 * Whether what is on the screen is still true.
 *
 * Every answer and every failure of a question is noted here, and the state of the event stream. `live`: changes
 * come as they happen. `polling`: no stream, the server is asked every few seconds. `reconnecting`: the newest
 * question failed or the stream has just broken, so what is shown may be old.
 */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { StreamState } from '@/lib/liveEvents'

export const useLiveness = defineStore('liveness', () => {
  const lastAnswerAt = ref<number | null>(null)
  const failures = ref(0)
  const stream = ref<StreamState>('polling')

  const state = computed<StreamState>(() => (failures.value > 0 ? 'reconnecting' : stream.value))
  const isLive = computed(() => stream.value === 'live')

  function noteAnswer(at: number): void {
    lastAnswerAt.value = at
    failures.value = 0
  }

  function noteFailure(): void {
    failures.value += 1
  }

  return { state, isLive, lastAnswerAt, failures, stream, noteAnswer, noteFailure }
})
