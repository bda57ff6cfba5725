/** Every sentence of the server that another language says in its own words. Comes with that language. */
import { recogniser } from '@/lib/serverText'
import { fields } from './en/fields'
import { health } from './en/health'
import { refusals } from './en/refusals'
import { server } from './en/server'

const AREAS = {
  server: server.server,
  health: health.health,
  field: fields.field,
  form: fields.form,
  refusal: refusals.refusal,
}

/** Template by the key of its message. */
export const SENTENCES: Record<string, string> = Object.fromEntries(
  Object.entries(AREAS).flatMap(([area, templates]) =>
    Object.entries(templates).map(([key, template]) => [`${area}.${key}`, template]),
  ),
)

export const recognise = recogniser(SENTENCES)
