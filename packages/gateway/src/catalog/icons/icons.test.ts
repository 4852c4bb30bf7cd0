import type { Icon } from '@crosspoint/mcp'
import { createDeferred, createFakeClock, type PlainAnswer, startPlainServer } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import type { Log } from '../../log.ts'
import type { Offer } from '../offer.ts'
import { type IconBounds, Icons } from './icons.ts'

const HERE = 'https://weather.example'
const GIF = { headers: { 'content-type': 'image/gif' }, body: 'GIF89a' }
const INLINED = { src: `data:image/gif;base64,${btoa('GIF89a')}`, mimeType: 'image/gif' }
const DATA = { src: 'data:image/png;base64,AA==' }
const BOUNDS: IconBounds = { maxIcons: 8, maxIconBytes: 1024, timeoutMs: 5_000 }

const at = (path: string): Icon => ({ src: `${HERE}${path}` })

/** An offer with one tool for each list of icons. */
const offerOf = (...lists: readonly (readonly Icon[])[]): Offer => ({
  tools: lists.map((icons, n) => ({ name: `t${n}`, inputSchema: { type: 'object' }, icons })),
  resources: [],
  templates: [],
  prompts: [],
  skills: [],
  capabilities: {},
  instructions: undefined,
  told: [],
})

const iconsOf = ({ tools }: Offer) => tools.map(({ icons }) => icons)

/** The icons of a server whose origin is served by `answer`. */
async function open(answer: (path: string) => PlainAnswer | Promise<PlainAnswer>, options: Partial<IconBounds> = {}) {
  const server = await startPlainServer(({ path }) => answer(path))
  onTestFinished(() => server.stop())
  const clock = createFakeClock()
  const lines: object[] = []
  const said = createDeferred()
  const line = (details: object, text: string) => {
    lines.push({ ...details, text })
    said.resolve()
  }
  const log: Log = { debug: line, info: line, warn: line, error: line }
  let news = createDeferred()
  let changes = 0
  const icons = new Icons({
    upstream: 'weather',
    url: `${HERE}/mcp`,
    bounds: () => ({ ...BOUNDS, ...options }),
    // The certificate of the origin is not what is tested here; everything else is as it is.
    fetch: (url, init) => fetch(String(url).replace(HERE, server.origin), init),
    changed: () => {
      changes++
      news.resolve()
      news = createDeferred()
    },
    clock,
    log,
  })
  onTestFinished(() => icons.close())
  return { icons, server, clock, lines, said: said.promise, news: () => news.promise, changes: () => changes }
}

test('those of the origin of the server come in as data, once for all who have them, and are told of once', async () => {
  const { icons, server, news, changes, lines } = await open(() => GIF)
  const offer = offerOf([{ ...at('/a.gif'), sizes: ['48x48'], theme: 'dark' }, DATA], [at('/a.gif#x')], [at('/b.gif')])
  expect(iconsOf(icons.show(offer))).toEqual([[DATA], undefined, undefined])
  await news()
  expect(iconsOf(icons.show(offer))).toEqual([
    [{ ...INLINED, sizes: ['48x48'], theme: 'dark' }, DATA],
    [INLINED],
    [INLINED],
  ])
  expect(icons.show(offer).tools).toEqual(icons.show(offer).tools)
  expect(icons.show(offer).tools[0]).toBe(icons.show(offer).tools[0])
  expect(server.seen.map(({ path }) => path).sort()).toEqual(['/a.gif', '/b.gif'])
  expect([changes(), lines]).toEqual([1, []])
})

test('trap-51: nothing that names anybody goes along', async () => {
  const { icons, server, news } = await open(() => GIF)
  icons.show(offerOf([at('/a.gif')]))
  await news()
  const [request] = server.seen
  expect(request?.method).toBe('GET')
  expect(Object.keys(request?.headers ?? {})).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(?:authorization|cookie|referer|mcp-.*)$/)]),
  )
})

test('trap-51: what is elsewhere passes as it is, and what nobody may show is left out; neither is asked for', async () => {
  const { icons, server } = await open(() => GIF)
  const elsewhere = { src: 'https://pictures.example/a.png' }
  const unsafe = ['http://weather.example/a.png', 'javascript:1', 'file:///a.png', 'https://u:p@weather.example/a.png']
  const offer = offerOf([elsewhere, ...unsafe.map((src) => ({ src })), DATA], [elsewhere], [{ src: 'x' }])
  const shown = icons.show(offer)
  expect(iconsOf(shown)).toEqual([[elsewhere, DATA], [elsewhere], undefined])
  expect(shown.tools[1]).toBe(offer.tools[1])
  expect(server.seen).toEqual([])
})

test.each([
  ['is not there', { status: 404 }, 'The server answered 404'],
  ['leads elsewhere', { status: 302, headers: { location: '/b.gif' } }, 'The server answered 302'],
  ['is too large', { ...GIF, body: `GIF89a${'x'.repeat(2_000)}` }, 'It has more than 1024 bytes'],
  ['is no picture', { headers: { 'content-type': 'text/html' }, body: 'GIF89a' }, 'its type is "text/html"'],
  ['is another picture than it says', { ...GIF, headers: { 'content-type': 'image/png' } }, 'is no image/png'],
])('abuse-30: one that %s is left out, with one line in the log', async (_, answer, reason) => {
  const { icons, server, news, lines, changes } = await open((path) => (path === '/a.gif' ? answer : GIF))
  const offer = offerOf([at('/a.gif')], [at('/c.gif')])
  icons.show(offer)
  await news()
  expect(iconsOf(icons.show(offer))).toEqual([undefined, [INLINED]])
  expect(lines).toEqual([
    { upstream: 'weather', icon: `${HERE}/a.gif`, reason: expect.stringContaining(reason), text: 'Left out an icon' },
  ])
  expect(server.seen).toHaveLength(2)
  expect(changes()).toBe(1)
})

test('one that takes too long is left out, and not asked for again', async () => {
  const asked = createDeferred()
  const { icons, server, clock, news, lines, said } = await open((path) => {
    if (path !== '/slow.gif') return GIF
    asked.resolve()
    return new Promise<never>(() => {})
  })
  icons.show(offerOf([at('/slow.gif')]))
  await asked.promise
  clock.advance(5_000)
  await said
  expect(lines).toMatchObject([{ icon: `${HERE}/slow.gif`, reason: 'It took too long' }])
  const offer = offerOf([at('/slow.gif')], [at('/a.gif')])
  icons.show(offer)
  await news()
  expect(iconsOf(icons.show(offer))).toEqual([undefined, [INLINED]])
  expect(server.seen).toHaveLength(2)
})

test('abuse-16: no more are fetched than the bound says, whatever the lists become, and that is said once', async () => {
  const { icons, server, news, lines } = await open(() => GIF, { maxIcons: 2 })
  icons.show(offerOf([at('/1.gif')], [at('/2.gif')]))
  await news()
  for (let n = 3; n < 9; n++) expect(iconsOf(icons.show(offerOf([at(`/${n}.gif`)])))).toEqual([undefined])
  expect(server.seen).toHaveLength(2)
  expect(lines).toEqual([{ upstream: 'weather', text: 'Left out all icons but 2: "limits.maxIcons"' }])
})

test('abuse-16: one picture on all tools makes lists no longer than the bounds say', async () => {
  const body = `GIF89a${'x'.repeat(900)}`
  const { icons, news } = await open(() => ({ ...GIF, body }), { maxIcons: 2 })
  const offer = offerOf(...Array.from({ length: 100 }, () => [at('/1.gif')]))
  icons.show(offer)
  await news()
  const shown = icons.show(offer)
  expect(iconsOf(shown).filter((list) => list !== undefined)).toHaveLength(2)
  expect(JSON.stringify(shown).length).toBeLessThan(JSON.stringify(offer).length + 2 * 1.4 * 1024)
})

test('where none are to be fetched, addresses pass as they are', async () => {
  const { icons, server } = await open(() => GIF, { maxIcons: 0 })
  const offer = offerOf([at('/a.gif')])
  expect(icons.show(offer)).toBe(offer)
  expect(server.seen).toEqual([])
})

test('what is called so and is none of the protocol passes untouched', async () => {
  const { icons } = await open(() => GIF)
  const offer = { ...offerOf(), skills: [{ uri: 'skill://a', icons: 7 }] }
  expect(icons.show(offer)).toBe(offer)
})

test('what is on its way is let go when the server goes, and nobody is told', async () => {
  const asked = createDeferred()
  const { icons, lines, changes } = await open(() => {
    asked.resolve()
    return new Promise<never>(() => {})
  })
  icons.show(offerOf([at('/a.gif')]))
  await asked.promise
  icons.close()
  icons.show(offerOf([at('/b.gif')]))
  await new Promise((resolve) => setImmediate(resolve))
  expect([lines, changes()]).toEqual([[], 0])
})
