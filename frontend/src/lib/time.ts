/**
 * Instants, durations and zones as people read them.
 *
 * Pure: `now`, zone and locale are arguments. Instants come in as RFC 3339 text, Date or epoch milliseconds.
 */

export type Instant = string | number | Date

export interface TimeStyle {
  /** An IANA zone. */
  zone: string
  /** A BCP 47 language, for words; digits are always ISO-like so that columns line up. */
  locale: string
}

const partsFormats = new Map<string, Intl.DateTimeFormat>()

function partsFormat(zone: string): Intl.DateTimeFormat {
  let format = partsFormats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'shortOffset',
    })
    partsFormats.set(zone, format)
  }
  return format
}

function partsOf(instant: Instant, zone: string): Record<string, string> {
  const parts: Record<string, string> = {}
  for (const { type, value } of partsFormat(zone).formatToParts(new Date(instant))) parts[type] = value
  return parts
}

/** `2026-03-29` in *zone*. */
export function dateIn(instant: Instant, zone: string): string {
  const { year, month, day } = partsOf(instant, zone)
  return `${year}-${month}-${day}`
}

/** `03:00:05` in *zone*. */
export function clockIn(instant: Instant, zone: string): string {
  const { hour, minute, second } = partsOf(instant, zone)
  return `${hour}:${minute}:${second}`
}

/** `UTC`, `UTC+2` or `UTC+5:30`: the offset that holds in *zone* at that instant. */
export function zoneLabel(instant: Instant, zone: string): string {
  const name = partsOf(instant, zone).timeZoneName ?? zone
  return name.replace(/^GMT/, 'UTC').replace(/^UTC[+-]0$/, 'UTC')
}

/** `2026-03-29 03:00:05`; only the time of day where it is today's, seen from *now*. */
export function formatInstant(instant: Instant, zone: string, now?: Instant): string {
  const date = dateIn(instant, zone)
  const clock = clockIn(instant, zone)
  return now !== undefined && date === dateIn(now, zone) ? clock : `${date} ${clock}`
}

/** `11-22 19:00`: where there is little room; only the time of day where it is today's. */
export function formatShort(instant: Instant, zone: string, now: Instant): string {
  const { month, day, hour, minute } = partsOf(instant, zone)
  return dateIn(instant, zone) === dateIn(now, zone)
    ? clockIn(instant, zone)
    : `${month}-${day} ${hour}:${minute}`
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

/** `in 12 seconds`, `3 hours ago`, in the words of *locale*. */
export function relative(instant: Instant, now: Instant, locale: string): string {
  const seconds = Math.round((new Date(instant).getTime() - new Date(now).getTime()) / 1000)
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'always', style: 'short' })
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size || unit === 'second') return format.format(Math.trunc(seconds / size), unit)
  }
  return ''
}

/** `480 ms`, `1.8 s`, `2 m 05 s`, `3 h 07 m`, `2 d 03 h`. */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const s = Math.round(ms / 1000)
  if (s < 3600) return `${Math.floor(s / 60)} m ${pad(s % 60)} s`
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${pad(Math.floor((s % 3600) / 60))} m`
  return `${Math.floor(s / 86_400)} d ${pad(Math.floor((s % 86_400) / 3600))} h`
}

/** `00:12`, `1:02:03` or `3 d 04 h` until *instant*; null when it has passed. */
export function countdown(instant: Instant, now: Instant): string | null {
  const s = Math.ceil((new Date(instant).getTime() - new Date(now).getTime()) / 1000)
  if (s <= 0) return null
  if (s >= 86_400) return `${Math.floor(s / 86_400)} d ${pad(Math.floor((s % 86_400) / 3600))} h`
  const rest = `${pad(Math.floor((s % 3600) / 60))}:${pad(s % 60)}`
  return s >= 3600 ? `${Math.floor(s / 3600)}:${rest}` : rest
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

/** The hover text of a time: UTC, the job's own zone where it has one, ISO, relative. One per line. */
export function instantTitle(
  instant: Instant,
  { now, locale, jobZone }: { now: Instant; locale: string; jobZone?: string },
): string {
  const lines = [`${formatInstant(instant, 'UTC')} UTC`]
  if (jobZone && jobZone !== 'UTC') {
    lines.push(`${formatInstant(instant, jobZone)} ${jobZone} (${zoneLabel(instant, jobZone)})`)
  }
  lines.push(new Date(instant).toISOString(), relative(instant, now, locale))
  return lines.join('\n')
}

/** Whether *zone* is one this browser knows. */
export function isZone(zone: string): boolean {
  try {
    partsFormat(zone)
    return true
  } catch {
    return false
  }
}
