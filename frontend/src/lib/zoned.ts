/**
 * Local times, as a person types them, in a named zone. Pure.
 *
 * A time the clock skips becomes the instant after the gap; of a time that comes twice, the first.
 */
import { clockIn, dateIn } from './time'

const MINUTE_MS = 60_000

/** What `<input type="datetime-local">` shows for *instant*: `2026-03-29T03:00`. */
export function localText(instant: string | number, zone: string): string {
  return `${dateIn(instant, zone)}T${clockIn(instant, zone).slice(0, 5)}`
}

/** Milliseconds *zone* is ahead of UTC at *instant*. */
function offsetMs(instant: number, zone: string): number {
  const local = Date.parse(`${dateIn(instant, zone)}T${clockIn(instant, zone)}Z`)
  return local - Math.floor(instant / 1000) * 1000
}

/** The instant of *local* (`2026-03-29T03:00`) in *zone*, RFC 3339 UTC; null where *local* is no time. */
export function instantOf(local: string, zone: string): string | null {
  const asUtc = Date.parse(`${local}${local.length === 16 ? ':00' : ''}Z`)
  if (Number.isNaN(asUtc)) return null
  const candidates = [asUtc - 24 * 60 * MINUTE_MS, asUtc + 24 * 60 * MINUTE_MS]
    .map((around) => asUtc - offsetMs(around, zone))
    .filter((at) => at + offsetMs(at, zone) === asUtc)
  // In a gap neither offset gives the local time back: the one before the gap leads to just behind it.
  const at = candidates.length ? Math.min(...candidates) : asUtc - offsetMs(asUtc - 24 * 60 * MINUTE_MS, zone)
  return new Date(at).toISOString().replace('.000Z', 'Z')
}
