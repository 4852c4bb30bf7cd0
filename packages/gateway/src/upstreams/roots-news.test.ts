import { createServer } from '@crosspoint/mcp/server'
import { connectDirectly } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { RootsNews } from './roots-news.ts'

test('changes are told one at a time, those meanwhile as one, and those before there was a session with it', async () => {
  const connection = await connectDirectly(createServer({ name: 'one', version: '1' }).endpoint)
  const told: (() => void)[] = []
  const tell = () => new Promise<void>((resolve) => void told.push(resolve))
  const news = new RootsNews()
  news.changed()
  news.changed()
  news.connected({ ...connection, tell })
  expect(told).toHaveLength(1)
  for (let i = 0; i < 100; i++) news.changed()
  expect(told).toHaveLength(1)
  told[0]?.()
  await Promise.resolve()
  expect(told).toHaveLength(2)
  told[1]?.()
  await Promise.resolve()
  expect(told).toHaveLength(2)
  news.changed()
  expect(told).toHaveLength(3)
})
