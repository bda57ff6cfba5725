/** Says known sentences of the server in the viewer's language. */
import { useI18n } from 'vue-i18n'
import { server } from '@/i18n/en/server'
import { recogniser } from '@/lib/serverText'

/** Holes that hold a word of the API, which has messages of its own. */
const WORDS = ['reason', 'cause'] as const
const recognise = recogniser(server.server)

export function useServerText(): (text: string) => string {
  const { t, te, locale } = useI18n({ useScope: 'global' })

  function valueText(hole: string, value: string): string {
    const isWord = WORDS.some((word) => word === hole) && te(`${hole}.${value}`)
    return isWord ? t(`${hole}.${value}`) : serverText(value)
  }

  function serverText(text: string): string {
    const found = locale.value === 'en' ? null : recognise(text)
    if (!found) return text
    const values = Object.entries(found.values).map(([hole, value]) => [hole, valueText(hole, value)])
    return t(`server.${found.key}`, Object.fromEntries(values) as Record<string, string>)
  }

  return serverText
}
