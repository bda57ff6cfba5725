/**
 * Schedules in words, for lists. Pure.
 *
 * Only describes: what is valid, and when the next tick is, the server says.
 */
import cronstrue from 'cronstrue'
import 'cronstrue/locales/zh_CN'

export type ScheduleLanguage = 'en' | 'zh-CN'

const WORDS: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const UNIT_NAMES: Record<ScheduleLanguage, Record<string, [string, string]>> = {
  en: { h: ['hour', 'hours'], m: ['minute', 'minutes'], s: ['second', 'seconds'] },
  'zh-CN': { h: ['小时', '小时'], m: ['分钟', '分钟'], s: ['秒', '秒'] },
}

/** The sentence for *schedule*, or null where there is none to give (then the text itself is shown). */
export function scheduleInWords(
  schedule: string | null | undefined,
  language: ScheduleLanguage,
): string | null {
  const text = schedule?.trim()
  if (!text) return null
  const every = /^@every\s+((?:\d+[hms])+)$/.exec(text)
  if (every?.[1]) return everyInWords(every[1], language)
  const cron = WORDS[text] ?? text
  // `H` is a value the job's uid chooses; no sentence can name it.
  if (cron.startsWith('@') || /(^|[\s,])H/.test(cron)) return null
  try {
    return cronstrue.toString(cron.replaceAll('?', '*'), {
      locale: language === 'zh-CN' ? 'zh_CN' : 'en',
      use24HourTimeFormat: true,
      verbose: false,
    })
  } catch {
    return null
  }
}

function everyInWords(interval: string, language: ScheduleLanguage): string {
  const names = UNIT_NAMES[language]
  const parts = [...interval.matchAll(/(\d+)([hms])/g)].map(([, amount = '', unit = 's']) => {
    const [one, many] = names[unit] ?? ['', '']
    if (language === 'zh-CN') return `${amount} ${one}`
    return amount === '1' ? one : `${amount} ${many}`
  })
  return language === 'zh-CN' ? `每 ${parts.join(' ')}` : `Every ${parts.join(' ')}`
}
