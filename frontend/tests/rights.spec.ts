import { describe, expect, it } from 'vitest'
import { isGranted, isGrantedEverywhere, type Grant } from '@/lib/rights'

const everywhere: Grant[] = [{ right: 'operate', namespaces: null }]
const ops: Grant[] = [{ right: 'operate', namespaces: ['ops'] }]
const nowhere: Grant[] = [{ right: 'operate', namespaces: [] }]

describe('rights', () => {
  it.each([
    ['for all, in one', everywhere, 'ops', true],
    ['for all, in any', everywhere, undefined, true],
    ['for one, in it', ops, 'ops', true],
    ['for one, in another', ops, 'web', false],
    ['for one, in any', ops, undefined, true],
    ['for none, in any', nowhere, undefined, false],
  ])('%s', (_, grants, namespace, expected) => {
    expect(isGranted(grants, 'operate', namespace)).toBe(expected)
  })

  it('one right is not another', () => {
    expect(isGranted(everywhere, 'edit')).toBe(false)
  })

  it('only a right without namespaces holds everywhere', () => {
    expect([everywhere, ops].map((grants) => isGrantedEverywhere(grants, 'operate'))).toEqual([true, false])
  })
})
