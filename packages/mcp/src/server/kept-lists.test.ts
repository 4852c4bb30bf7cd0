import { describe, expect, it } from 'vitest'
import { connect } from '../client/index.ts'
import { createServer } from './server.ts'

/** A description that counts how often it is written down. */
function createCounted() {
  const counted = { written: 0 }
  const server = createServer({ name: 'lists', version: '1.0.0' })
  const _meta = {
    note: {
      toJSON() {
        counted.written++
        return 'noted'
      },
    },
  }
  server.tool('one', { description: 'One', _meta }, () => '1')
  const list = async (revision: string) => {
    const client = await connect(server, { client: { name: 'c', version: '1' }, revision })
    try {
      const tools = await client.listTools().all()
      return tools.map(({ name }) => name)
    } finally {
      await client.close()
    }
  }
  return { server, counted, list }
}

describe('a list that everybody gets', () => {
  it.each(['2026-07-28', '2025-06-18'])(
    'is written down once, however often it is asked for (%s)',
    async (revision) => {
      const { counted, list } = createCounted()
      for (let time = 0; time < 3; time++) expect(await list(revision)).toEqual(['one'])
      expect(counted.written).toBe(1)
    },
  )

  it('is written again when it changes, and for each revision', async () => {
    const { server, counted, list } = createCounted()
    await list('2026-07-28')
    await list('2025-06-18')
    expect(counted.written).toBe(2)
    const two = server.tool('two', {}, () => '2')
    expect(await list('2026-07-28')).toEqual(['one', 'two'])
    expect(counted.written).toBe(3)
    two.disable()
    expect(await list('2026-07-28')).toEqual(['one'])
    expect(await list('2025-06-18')).toEqual(['one'])
  })

  it('cannot be changed by a middleware for everybody', async () => {
    const { server, list } = createCounted()
    let refused = 0
    server.use('tools/list', async (call, next) => {
      const result = await next(call)
      try {
        ;(result.tools as unknown[]).splice(0)
      } catch {
        refused++
      }
      return result
    })
    for (let time = 0; time < 2; time++) expect(await list('2026-07-28')).toEqual(['one'])
    expect(refused).toBe(2)
  })
})
