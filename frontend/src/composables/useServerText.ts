/** Says known sentences of the server, and the titles of its problems, in the viewer's language. */
import { useI18n } from 'vue-i18n'
import { recogniseSentence } from '@/i18n'
import type { ApiProblem } from '@/lib/problem'
import { sayAll, type Recognised } from '@/lib/serverText'

/** Holes that hold a word of the API, and where the messages for these words are. */
const WORDS: Record<string, string> = {
  reason: 'reason',
  cause: 'cause',
  status: 'status',
  right: 'noRight',
}
/** Holes that hold a sentence again. In all others stand names and numbers, which stay what they are. */
const SENTENCES = ['how', 'why', 'word', 'count', 'text']

export function useServerText() {
  const { t, te, locale } = useI18n({ useScope: 'global' })

  function valueText(hole: string, value: string): string {
    const key = `${WORDS[hole]}.${value}`
    if (hole in WORDS && te(key)) return t(key)
    return SENTENCES.includes(hole) ? serverText(value) : value
  }

  function messageOf({ key, values }: Recognised): string {
    const texts = Object.entries(values).map(([hole, value]) => [hole, valueText(hole, value)])
    return t(key, Object.fromEntries(texts) as Record<string, string>)
  }

  function say(sentence: string): string | null {
    const found = recogniseSentence.value(sentence)
    return found && te(found.key) ? messageOf(found) : null
  }

  /** *text* as it came, where it is not known. */
  function serverText(text: string): string {
    return locale.value === 'en' ? text : (sayAll(text, say) ?? text)
  }

  /** What went wrong, in a few words; by its code, where it has one that is known. */
  function problemTitle(problem: ApiProblem): string {
    const key = `problemTitle.${problem.code}`
    if (problem.code && te(key)) return t(key)
    return problem.message || t('error.noAnswer')
  }

  /** Everything about a problem in one line, for a notice. */
  function problemLine(problem: ApiProblem): string {
    const detail = problem.detail && serverText(problem.detail)
    return [problemTitle(problem), detail, problem.requestId].filter(Boolean).join(' · ')
  }

  return { serverText, problemTitle, problemLine }
}
