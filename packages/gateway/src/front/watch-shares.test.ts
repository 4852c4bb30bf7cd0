import { ANONYMOUS } from '@crosspoint/mcp'
import { expect, test } from 'vitest'
import { WatchShares } from './watch-shares.ts'

const as = (id: string) => ({ principal: { id, tenant: 'default' } })

test('abuse-14: of what may be watched one caller has a share, which comes back', () => {
  const shares = new WatchShares(100)
  const release = shares.take(as('anna'), 20)
  expect(() => shares.take(as('anna'), 6)).toThrow(expect.objectContaining({ code: 'policy.limit' }))
  shares.take(as('bert'), 25)
  release()
  shares.take(as('anna'), 25)
})

test('abuse-14: where nobody is told apart there is one bound, for all', () => {
  const shares = new WatchShares(100)
  const nobody = { principal: ANONYMOUS }
  const release = shares.take(nobody, 90)
  expect(() => shares.take(nobody, 11)).toThrow(expect.objectContaining({ code: 'policy.busy' }))
  expect(() => shares.take(as('anna'), 11)).toThrow(expect.objectContaining({ code: 'policy.busy' }))
  release()
  shares.take(nobody, 100)
})
