/** Sizes as people read them. Pure. */

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** `512 B`, `1.5 KB`, `2.0 GB`: powers of 1024. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1)
  return power === 0 ? `${bytes} B` : `${(bytes / 1024 ** power).toFixed(1)} ${UNITS[power]}`
}
