/** Short messages about what was just done. They go by themselves; failures stay until dismissed. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { RouteLocationRaw } from 'vue-router'

export interface Notice {
  id: number
  kind: 'done' | 'failed'
  text: string
  detail?: string
  link?: { to: RouteLocationRaw; text: string }
}

const SHOWN_MS = 7_000

export const useNotices = defineStore('notices', () => {
  const items = ref<Notice[]>([])
  let lastId = 0

  function dismiss(id: number): void {
    items.value = items.value.filter((notice) => notice.id !== id)
  }

  function show(notice: Omit<Notice, 'id'>): void {
    const id = ++lastId
    items.value = [...items.value.slice(-3), { ...notice, id }]
    if (notice.kind === 'done') setTimeout(() => dismiss(id), SHOWN_MS)
  }

  return { items, show, dismiss }
})
