import { createFakeClock } from '@crosspoint/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { McpError } from '../errors.ts'
import type { Call, Handle, Notification, Result } from '../protocol/call.ts'
import { toCall } from '../protocol/fixtures/calls.ts'
import { type CacheOptions, ResponseCache, type SharedCache } from './response-cache.ts'

const TOOLS: Notification = { method: 'notifications/tools/list_changed', params: {} }
const updated = (uri: string): Notification => ({ method: 'notifications/resources/updated', params: { uri } })

/** A server that numbers its answers. */
function counting(more: (call: Call) => object = () => ({ ttlMs: 1_000, cacheScope: 'private' })) {
  let count = 0
  const asked: string[] = []
  const handle: Handle = async (call) => {
    asked.push(call.method)
    return { number: ++count, ...more(call) }
  }
  return { asked, handle }
}

function open(handle: Handle, options: CacheOptions = {}, where?: string) {
  const clock = createFakeClock()
  const cache = new ResponseCache({ clock, where, ...options })
  const cached = cache.around(handle)
  const fresh = cache.around(handle, true)
  const numberOf = async (result: Promise<Result>) => (await result).number
  return {
    clock,
    cache,
    cached,
    ask: (method: string, params = {}) => numberOf(cached(toCall(method, params))),
    askFresh: (method: string, params = {}) => numberOf(fresh(toCall(method, params))),
  }
}

describe('an answer', () => {
  it('trap-3: is kept for as long as its server says, and not a millisecond longer', async () => {
    const { ask, clock } = open(counting().handle)
    for (const method of ['server/discover', 'tools/list']) {
      const first = await ask(method)
      clock.advance(999)
      expect(await ask(method)).toBe(first)
      clock.advance(1)
      expect(await ask(method)).not.toBe(first)
    }
  })

  it.each([
    ['absent', {}],
    ['zero', { ttlMs: 0 }],
    ['negative', { ttlMs: -1 }],
    ['no number', { ttlMs: '1000' }],
    ['no time at all', { ttlMs: Number.NaN }],
  ])('is not kept when its time is %s', async (_, hints) => {
    const { ask } = open(counting(() => hints).handle)
    expect([await ask('tools/list'), await ask('tools/list')]).toEqual([1, 2])
  })

  it('is kept for a day at most, or for what was set', async () => {
    for (const [maxTtlMs, bound] of [
      [undefined, 24 * 3_600_000],
      [50, 50],
    ] as const) {
      const { ask, clock } = open(counting(() => ({ ttlMs: 1e15 })).handle, maxTtlMs === undefined ? {} : { maxTtlMs })
      await ask('tools/list')
      clock.advance(bound - 1)
      expect(await ask('tools/list')).toBe(1)
      clock.advance(1)
      expect(await ask('tools/list')).toBe(2)
    }
  })

  it('is one of its own for each page and each resource', async () => {
    const { ask } = open(counting().handle)
    expect(await ask('tools/list')).toBe(1)
    expect(await ask('tools/list', { cursor: '' })).toBe(2)
    expect(await ask('tools/list', { cursor: 'b' })).toBe(3)
    expect(await ask('resources/read', { uri: 'a:' })).toBe(4)
    expect(await ask('resources/read', { uri: 'b:' })).toBe(5)
    expect([await ask('tools/list'), await ask('tools/list', { cursor: '' })]).toEqual([1, 2])
  })

  it('is asked for anew when that is wanted, and kept then', async () => {
    const { ask, askFresh } = open(counting().handle)
    expect([await ask('tools/list'), await askFresh('tools/list'), await ask('tools/list')]).toEqual([1, 2, 2])
  })

  it('is a copy: what one caller does to it, no other sees', async () => {
    const { cached } = open(async () => ({ tools: [{ name: 'a' }], ttlMs: 1_000 }))
    for (let time = 0; time < 3; time++) {
      const result = await cached(toCall('tools/list'))
      expect(result.tools).toEqual([{ name: 'a' }])
      ;(result.tools as unknown[]).push('mine')
    }
  })

  it('is not kept where the request has a _meta of its own, or the method none of this', async () => {
    const { cached, ask } = open(counting().handle)
    const meta = { 'com.example/x': 1 }
    expect(await cached(toCall('tools/list', {}, { meta }))).toMatchObject({ number: 1 })
    expect(await cached(toCall('tools/list', {}, { meta }))).toMatchObject({ number: 2 })
    for (const method of ['tools/call', 'prompts/get', 'completion/complete', 'x/list']) {
      expect(await ask(method)).not.toBe(await ask(method))
    }
  })
})

describe('trap-17: what is not for keeping', () => {
  it('is the result of a retry, and a result that asks', async () => {
    const { cached } = open(
      counting(({ params }) => ({ ttlMs: 1_000, ...(params.uri === 'ask:' && { resultType: 'input_required' }) }))
        .handle,
    )
    const read = async (params: object) => (await cached(toCall('resources/read', { ...params }))).number
    expect([await read({ uri: 'ask:' }), await read({ uri: 'ask:' })]).toEqual([1, 2])
    const answered = { uri: 'a:', inputResponses: { it: {} } }
    expect([await read(answered), await read(answered)]).toEqual([3, 4])
    const stated = { uri: 'a:', requestState: 's' }
    expect([await read(stated), await read(stated)]).toEqual([5, 6])
    expect([await read({ uri: 'a:' }), await read({ uri: 'a:' })]).toEqual([7, 7])
  })

  it('is, for others, anything private, and anything of a list with a private page', async () => {
    const { port, texts } = sharing()
    const scopes: Record<string, string | undefined> = { '': 'public', b: 'private', c: 'public', d: undefined }
    const of = (call: Call) => ({ ttlMs: 1_000, cacheScope: scopes[String(call.params.cursor ?? '')] })
    const one = open(counting(of).handle, { shared: port }, 'https://a.example 1 ')
    await one.ask('tools/list')
    expect(texts.size).toBe(1)
    await one.ask('tools/list', { cursor: 'b' })
    await one.ask('tools/list', { cursor: 'c' })
    await one.ask('tools/list', { cursor: 'd' })
    expect(texts.size).toBe(1)
    const other = open(async () => ({ number: 9, ttlMs: 1_000 }), { shared: port }, 'https://a.example 1 ')
    expect(await other.ask('tools/list')).toBe(1)
    expect(await other.ask('tools/list', { cursor: 'b' })).toBe(9)
    const elsewhere = open(async () => ({ number: 8, ttlMs: 1_000 }), { shared: port }, 'https://b.example 1 ')
    expect(await elsewhere.ask('tools/list')).toBe(8)
    const nowhere = open(async () => ({ number: 7, ttlMs: 1_000 }), { shared: port })
    expect(await nowhere.ask('tools/list')).toBe(7)
  })
})

describe('a change', () => {
  it('makes what it is about be forgotten at once, and nothing else', async () => {
    const { ask, cache } = open(counting().handle)
    const all = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'server/discover']
    const before = new Map<string, unknown>()
    for (const method of all) before.set(method, await ask(method))
    cache.forget(TOOLS)
    for (const method of all) expect((await ask(method)) === before.get(method)).toBe(method !== 'tools/list')
    cache.forget({ method: 'notifications/resources/list_changed', params: {} })
    expect(await ask('resources/templates/list')).not.toBe(before.get('resources/templates/list'))
    expect(await ask('prompts/list')).toBe(before.get('prompts/list'))
  })

  it('of a resource is one of its parts and of what it is part of', async () => {
    const { ask, cache } = open(counting().handle)
    const uris = ['a:/x', 'a:/x/y', 'a:/x/y/z', 'a:/xy', 'b:']
    for (const uri of uris) await ask('resources/read', { uri })
    cache.forget(updated('a:/x/y'))
    const numbers = []
    for (const uri of uris) numbers.push(await ask('resources/read', { uri }))
    expect(numbers).toEqual([6, 7, 8, 4, 5])
  })

  it('while an answer is under way keeps that from being kept', async () => {
    let answer: (result: Result) => void = () => {}
    const { cached, cache, ask } = open(
      () =>
        new Promise((resolve) => {
          answer = resolve
        }),
    )
    const old = cached(toCall('tools/list'))
    await new Promise((resolve) => setImmediate(resolve))
    cache.forget(TOOLS)
    answer({ number: 'old', ttlMs: 1_000 })
    expect(await old).toMatchObject({ number: 'old' })
    const next = ask('tools/list')
    await new Promise((resolve) => setImmediate(resolve))
    answer({ number: 'new', ttlMs: 1_000 })
    expect(await next).toBe('new')
  })

  it('reaches what is shared', async () => {
    const { port, texts } = sharing()
    const { ask, cache } = open(counting(() => ({ ttlMs: 9, cacheScope: 'public' })).handle, { shared: port }, 'x ')
    await ask('tools/list')
    expect(texts.size).toBe(1)
    cache.forget(TOOLS)
    expect(texts.size).toBe(0)
  })
})

describe('bounds', () => {
  it('make room by leaving out what was not used for longest', async () => {
    const { ask } = open(counting().handle, { maxEntries: 2 })
    const read = (uri: string) => ask('resources/read', { uri })
    expect([await read('a'), await read('b'), await read('a'), await read('c')]).toEqual([1, 2, 1, 3])
    expect([await read('a'), await read('c'), await read('b')]).toEqual([1, 3, 4])
  })

  it('hold for what the answers take together, and one that is too large is not kept', async () => {
    const sized = counting(({ params }) => ({ ttlMs: 1_000, text: 'x'.repeat(Number(params.size ?? 1)) })).handle
    const { ask } = open(sized, { maxBytes: 1_000 })
    const large = { uri: 'large', size: 2_000 }
    expect(await ask('resources/read', large)).not.toBe(await ask('resources/read', large))
    const some = [1, 2, 3, 4, 5].map((at) => ({ uri: `${at}`, size: 100 }))
    for (const params of some) await ask('resources/read', params)
    const first = await ask('resources/read', some[4])
    expect(await ask('resources/read', some[4])).toBe(first)
    expect(await ask('resources/read', some[0])).toBeGreaterThan(Number(first))
  })
})

describe('a server that cannot be reached', () => {
  const failing = (code: 'upstream.unavailable' | 'upstream.error') => {
    let isDown = false
    const { handle } = counting()
    return {
      fail: () => {
        isDown = true
      },
      handle: ((call) => (isDown ? Promise.reject(new McpError(code, 'down')) : handle(call))) as Handle,
    }
  }

  it('is stood in for by what is out of date, where that was asked for, and not for ever', async () => {
    const server = failing('upstream.unavailable')
    const { ask, clock } = open(server.handle, { staleIfError: true, maxTtlMs: 5_000 })
    await ask('tools/list')
    server.fail()
    clock.advance(5_999)
    expect(await ask('tools/list')).toBe(1)
    clock.advance(1)
    await expect(ask('tools/list')).rejects.toThrow('down')
  })

  it('fails otherwise, and so does one that answers with an error', async () => {
    for (const [code, options] of [
      ['upstream.unavailable', {}],
      ['upstream.error', { staleIfError: true }],
    ] as const) {
      const server = failing(code)
      const { ask, clock } = open(server.handle, options)
      await ask('tools/list')
      server.fail()
      clock.advance(1_000)
      await expect(ask('tools/list')).rejects.toThrow('down')
    }
  })
})

describe('a shared cache that fails', () => {
  it('is as good as none', async () => {
    const broken = () => {
      throw new Error('broken')
    }
    const shared: SharedCache = { get: broken, set: () => Promise.reject(new Error('broken')), delete: broken }
    const { ask, cache } = open(counting(() => ({ ttlMs: 9, cacheScope: 'public' })).handle, { shared }, 'x ')
    expect([await ask('tools/list'), await ask('tools/list')]).toEqual([1, 1])
    cache.forget(TOOLS)
    expect(await ask('tools/list')).toBe(2)
  })
})

describe('property: an answer', () => {
  it('is never one of other params, never older than its time, and never from before a change that was heard', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('ask' as const), page: fc.constantFrom('', 'a', 'b') }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 80 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('change' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('ttl' as const), ms: fc.integer({ min: -5, max: 100 }) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 3 }), async (steps, maxEntries) => {
        let ttlMs = 20
        let changes = 0
        const clock = createFakeClock()
        const cache = new ResponseCache({ clock, where: undefined, maxEntries })
        const handle = cache.around(async ({ params }) => ({
          ttlMs,
          page: params.cursor ?? '',
          at: clock.now(),
          changes,
        }))
        for (const next of steps) {
          if (next.do === 'wait') clock.advance(next.ms)
          else if (next.do === 'ttl') ttlMs = next.ms
          else if (next.do === 'change') {
            changes++
            cache.forget(TOOLS)
          } else {
            const params = next.page === '' ? {} : { cursor: next.page }
            const result = await handle(toCall('tools/list', params))
            expect(result.page).toBe(next.page)
            expect(result.changes).toBe(changes)
            const age = clock.now() - Number(result.at)
            if (age > 0) expect(age).toBeLessThan(Number(result.ttlMs))
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})

function sharing() {
  const texts = new Map<string, string>()
  const port: SharedCache = {
    get: (key) => texts.get(key),
    set: async (key, text) => void texts.set(key, text),
    delete: (key) => void texts.delete(key),
  }
  return { port, texts }
}
