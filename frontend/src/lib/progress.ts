/** How far an execution is, measured by how long the job usually takes. Pure. */

export interface Progress {
  elapsedMs: number
  /** 0 to 100; null where nothing is known of earlier executions. */
  percent: number | null
  /** It takes longer than usual: half as long again, and at least ten seconds more. */
  isLong: boolean
}

export function progressOf(
  { started_at, usual_ms }: { started_at: string | null; usual_ms: number | null },
  nowMs: number,
): Progress {
  const elapsedMs = started_at === null ? 0 : Math.max(0, nowMs - Date.parse(started_at))
  if (usual_ms === null || usual_ms <= 0) return { elapsedMs, percent: null, isLong: false }
  return {
    elapsedMs,
    percent: Math.min(100, Math.round((100 * elapsedMs) / usual_ms)),
    isLong: elapsedMs > usual_ms * 1.5 && elapsedMs > usual_ms + 10_000,
  }
}
