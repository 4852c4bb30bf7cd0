import { describe, expect, it } from 'vitest'
import { checkIcons, toSafeIcons, withSafeIcons, withSafeItems } from './icons.ts'

const DATA = { src: 'data:image/png;base64,AA==', mimeType: 'image/png' }
const OWN = { src: 'https://weather.example/i.png' }
const OTHER = { src: 'HTTPS://cdn.example/i.png' }
const UNSAFE = [
  { src: 'javascript:alert(1)' },
  { src: 'java\tscript:alert(1)' },
  { src: ' https://weather.example/i.png' },
  { src: 'http://weather.example/i.png' },
  { src: 'file:///etc/passwd' },
  { src: 'https://ann:secret@weather.example/i.png' },
  { src: 'https://' },
  { src: `https://${'é'.repeat(300_000)}.example/` }, // a host that takes the platform seconds
  { src: '/i.png' },
  { src: 7 },
  'data:,',
  null,
]

describe('trap-51: icons', () => {
  it('are safe at https, without credentials, and as data', () => {
    expect(toSafeIcons([DATA, ...UNSAFE, OWN, OTHER])).toEqual([DATA, OWN, OTHER])
    expect(toSafeIcons('data:,')).toEqual([])
  })

  it('are those of the server itself, where it is known', () => {
    expect(toSafeIcons([DATA, OWN, OTHER], 'https://weather.example:443/mcp')).toEqual([DATA, OWN])
    expect(toSafeIcons([OWN], 'http://weather.example/mcp')).toEqual([])
  })

  it('are taken off a thing that nobody may show, and only they', () => {
    const good = { name: 'a', icons: [OWN] }
    expect(withSafeIcons(good)).toBe(good)
    expect(withSafeIcons({ name: 'a', icons: [...UNSAFE, OWN] })).toEqual(good)
    expect(withSafeIcons({ name: 'a', icons: UNSAFE })).toEqual({ name: 'a' })
    const page = { tools: [good, 7], nextCursor: 'x' }
    expect(withSafeItems(page, 'tools')).toBe(page)
    expect(withSafeItems({ tools: [{ name: 'b', icons: {} }, good, 7] }, 'tools')).toEqual({
      tools: [{ name: 'b' }, good, 7],
    })
  })

  it.each(UNSAFE)('are refused where they are registered: %#', (icon) => {
    expect(() => checkIcons('register the tool "t"', [OWN, icon])).toThrow(
      'Cannot register the tool "t" with these icons',
    )
    expect(() => checkIcons('register', icon)).toThrow(TypeError)
  })
})
