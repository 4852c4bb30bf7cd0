import { describe, expect, it } from 'vitest'
import { createReach } from './reach.ts'

const far = createReach({ server: new URL('https://mcp.example.com/mcp') })
const near = createReach({ server: new URL('http://127.0.0.1:3000/mcp') })

const isChecked = (reach: ReturnType<typeof createReach>, url: string) => {
  try {
    reach.check(url, 'it')
    return true
  } catch {
    return false
  }
}

describe('abuse-30: of a server elsewhere', () => {
  it.each([
    'http://as.example.com/',
    'ftp://as.example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://user@as.example.com/',
    'https://user:secret@as.example.com/',
    'https://127.0.0.1/',
    'https://localhost/',
    'https://a.localhost/',
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://100.64.0.1/',
    'https://[::1]/',
    'https://[fd00::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://134744072/',
    'https://intranet/',
    'https://metadata.google.internal/',
    'https://printer.local/',
    'https://as.example.com./',
    'not a url',
    `https://as.example.com/${'a'.repeat(3000)}`,
  ])('%s is not asked', (url) => expect(isChecked(far, url)).toBe(false))

  it.each([
    'https://as.example.com/token',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://mcp.example.com/',
  ])('%s is asked', (url) => expect(isChecked(far, url)).toBe(true))

  it('a name that leads inside is not connected to', () => {
    for (const address of ['127.0.0.1', '10.0.0.1', '::1', '169.254.169.254', 'nonsense']) {
      expect(far.allowsAddress('as.example.com', address)).toBe(false)
    }
    expect(far.allowsAddress('as.example.com', '8.8.8.8')).toBe(true)
  })

  it('the server itself was somebody’s choice, wherever it is', () => {
    expect(far.allowsAddress('mcp.example.com', '10.0.0.1')).toBe(true)
    const inside = createReach({ server: new URL('https://10.0.0.1/mcp') })
    expect([isChecked(inside, 'https://10.0.0.1/x'), isChecked(inside, 'https://10.0.0.2/x')]).toEqual([true, false])
  })

  it('hosts that are trusted may be inside', () => {
    const reach = createReach({ server: new URL('https://mcp.example.com'), trustedHosts: ['Login.corp', '10.0.0.9'] })
    expect([isChecked(reach, 'https://login.corp/'), isChecked(reach, 'https://10.0.0.9/')]).toEqual([true, true])
    expect(isChecked(reach, 'http://login.corp/')).toBe(false)
    expect(reach.allowsAddress('login.corp', '10.0.0.9')).toBe(true)
  })
})

describe('of a server on this machine', () => {
  it.each([
    'http://127.0.0.1:1/',
    'http://localhost:2/token',
    'https://localhost/',
    'http://[::1]:3/',
    'https://as.example.com/',
  ])('%s is asked', (url) => expect(isChecked(near, url)).toBe(true))

  it.each(['http://as.example.com/', 'http://10.0.0.1/', 'https://10.0.0.1/', 'http://2130706433/', 'http://0.0.0.0/'])(
    'abuse-30: %s is not',
    (url) => expect(isChecked(near, url)).toBe(false),
  )
})

it('abuse-30: the error says nothing about the URL', () => {
  expect(() => far.check('https://10.1.2.3/admin?key=1', 'the token endpoint')).toThrow(
    'Cannot use the token endpoint: its URL is not one to be asked',
  )
})
