import { expect, it } from 'vitest'
import { createListing } from './listing.ts'

it('abuse-16: a list whose pages do not end is not taken whole, however large they are', async () => {
  const text = 'x'.repeat(8 * 1024 * 1024)
  let pages = 0
  const listing = createListing('tools', async () => ({ tools: [{ text }], nextCursor: String(++pages) }))
  await expect(listing.all()).rejects.toMatchObject({
    code: 'upstream.protocol',
    message: expect.stringContaining('too large'),
  })
  expect(pages).toBeLessThan(20)
})

it('one page is taken whatever its size, and so are many small ones', async () => {
  let pages = 0
  const listing = createListing('tools', async () => {
    pages++
    return pages < 100 ? { tools: [pages], nextCursor: String(pages) } : { tools: [pages] }
  })
  expect(await listing.all()).toHaveLength(100)
})
