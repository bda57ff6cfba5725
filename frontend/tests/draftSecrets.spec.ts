import { describe, expect, it } from 'vitest'
import { MASK } from '@/lib/difference'
import { stillMissing, typedSecrets, withoutTypedSecrets } from '@/lib/draftSecrets'
import { emptyForm, type JobForm, type ValueRow } from '@/lib/jobForm'

const row = (name: string, value: string, secret = true): ValueRow => ({ name, value, secret })

function form(env: ValueRow[], headers: ValueRow[] = []): JobForm {
  return { ...emptyForm('UTC'), env, headers }
}

describe('secrets in a draft', () => {
  it.each([
    ['a typed one is not kept', row('KEY', 'hunter2'), row('KEY', '')],
    ['one that replaces a stored one becomes the stored one', row('OLD', 'hunter2'), row('OLD', MASK)],
    ['a stored one stays masked', row('OLD', MASK), row('OLD', MASK)],
    ['what is no secret is kept', row('PLAIN', 'visible', false), row('PLAIN', 'visible', false)],
  ])('%s', (_, typed, kept) => {
    const stored = { name: 'a', env: { OLD: { secret: true as const, value: MASK } } }

    expect(withoutTypedSecrets(form([typed]), stored).env).toEqual([kept])
  })

  it('headers have secrets too', () => {
    const typed = form(
      [row('KEY', 'hunter2')],
      [row('Authorization', 'Bearer xyzzy'), row('Accept', 'text/plain', false)],
    )

    expect(typedSecrets(typed)).toEqual(['KEY', 'Authorization'])
    expect(JSON.stringify(withoutTypedSecrets(typed, null))).not.toMatch(/hunter2|xyzzy/)
  })

  it('what must be typed again is told until it is typed, or its row is gone', () => {
    const names = ['KEY', 'OLD', 'GONE', 'DONE']

    expect(stillMissing(form([row('KEY', ''), row('OLD', MASK), row('DONE', 'again')]), names)).toEqual([
      'KEY',
      'OLD',
    ])
  })
})
