import { describe, expect, it } from 'vitest'
import {
  countdown,
  formatDuration,
  formatInstant,
  formatShort,
  instantTitle,
  isZone,
  relative,
  zoneLabel,
} from '@/lib/time'

const AT = '2026-03-29T01:30:00Z'

describe('formatInstant', () => {
  it.each([
    ['UTC', undefined, '2026-03-29 01:30:00'],
    ['Europe/Berlin, behind the gap', 'Europe/Berlin', '2026-03-29 03:30:00'],
    ['Asia/Kolkata, half an hour off', 'Asia/Kolkata', '2026-03-29 07:00:00'],
  ])('shows %s', (_, zone, expected) => {
    const shown = formatInstant(AT, zone ?? 'UTC')

    expect(shown).toBe(expected)
  })

  it('leaves the date out only where it is today in that zone', () => {
    const shown = [
      formatInstant(AT, 'UTC', '2026-03-29T23:59:00Z'),
      formatInstant(AT, 'Asia/Tokyo', '2026-03-29T23:59:00Z'),
      formatShort(AT, 'UTC', '2026-03-30T00:00:00Z'),
    ]

    expect(shown).toEqual(['01:30:00', '2026-03-29 10:30:00', '03-29 01:30'])
  })
})

describe('zoneLabel', () => {
  it.each([
    ['UTC', AT, 'UTC'],
    ['Europe/Berlin', AT, 'UTC+2'],
    ['Europe/Berlin', '2026-03-29T00:30:00Z', 'UTC+1'],
    ['Asia/Kolkata', AT, 'UTC+5:30'],
  ])('gives the offset that holds in %s at %s', (zone, at, expected) => {
    const label = zoneLabel(at, zone)

    expect(label).toBe(expected)
  })
})

describe('formatDuration', () => {
  it.each([
    [null, '–'],
    [0, '0 ms'],
    [999, '999 ms'],
    [1_840, '1.8 s'],
    [59_960, '1 m 00 s'],
    [125_000, '2 m 05 s'],
    [11_220_000, '3 h 07 m'],
    [183_600_000, '2 d 03 h'],
  ])('%s ms', (ms, expected) => {
    const shown = formatDuration(ms)

    expect(shown).toBe(expected)
  })
})

describe('countdown', () => {
  it.each([
    ['2026-03-29T01:30:12Z', '00:12'],
    ['2026-03-29T02:32:03Z', '1:02:03'],
    ['2026-04-01T05:30:00Z', '3 d 04 h'],
    [AT, null],
    ['2026-03-29T01:29:00Z', null],
  ])('to %s', (at, expected) => {
    const left = countdown(at, AT)

    expect(left).toBe(expected)
  })
})

it('says how far away an instant is in the words of the language', () => {
  const words = [relative(AT, '2026-03-29T01:30:12Z', 'en'), relative('2026-03-29T03:30:00Z', AT, 'zh-CN')]

  expect(words).toEqual(['12 sec. ago', '2小时后'])
})

it('the hover text has UTC, the zone of the job, ISO and the distance', () => {
  const title = instantTitle(AT, { now: '2026-03-29T01:29:00Z', locale: 'en', jobZone: 'Asia/Tokyo' })

  expect(title.split('\n')).toEqual([
    '2026-03-29 01:30:00 UTC',
    '2026-03-29 10:30:00 Asia/Tokyo (UTC+9)',
    '2026-03-29T01:30:00.000Z',
    'in 1 min.',
  ])
})

it('knows zones from nonsense', () => {
  const known = ['Europe/Berlin', 'Mars/Olympus'].map(isZone)

  expect(known).toEqual([true, false])
})
