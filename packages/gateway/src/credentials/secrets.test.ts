import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { McpError } from '@crosspoint/mcp'
import { createServer } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { sendEnveloped, startAuthorizationServer } from '@crosspoint/testkit'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createMemoryCredentials } from '../../fixtures/memory-credentials.ts'
import { openHouse } from '../../fixtures/open-house.ts'
import { readSecretFile, readVaultKeys } from '../node/vault-key.ts'
import { credentialStoreSuite } from '../stores/contract/credential-store.suite.ts'
import { createVault, formatVaultKey, parseVaultKey } from './vault.ts'

// Tests use it in the place of a store.
credentialStoreSuite(async () => createMemoryCredentials())

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-secrets-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const key = (letter: number) => new Uint8Array(32).fill(letter)
const PLACE = { kind: 'secret', tenant: '', principal: '', name: 'a' } as const

describe('the vault', () => {
  test('gives back any text, to its place alone', async () => {
    const vault = await createVault([key(1)])
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.string(), async (text, name) => {
        const place = { ...PLACE, name }
        const record = { ...place, ...(await vault.seal(place, text)), version: 1, updatedAt: 0 }
        expect(await vault.open(record)).toBe(text)
        expect(record.sealed.includes(text) && text.length > 4).toBe(false)
        for (const other of [{ name: `${name}x` }, { tenant: 't' }, { principal: 'p' }, { kind: 'client' as const }]) {
          await expect(vault.open({ ...record, ...other })).rejects.toMatchObject({ code: 'vault' })
        }
      }),
      { numRuns: 30 },
    )
  })

  test('opens what was closed with a key of before, and nothing that was changed', async () => {
    const [old, fresh, other] = [
      await createVault([key(1)]),
      await createVault([key(2), key(1)]),
      await createVault([key(3)]),
    ]
    const record = { ...PLACE, ...(await old.seal(PLACE, 'text')), version: 1, updatedAt: 0 }
    expect(await fresh.open(record)).toBe('text')
    expect(fresh.keyId).not.toBe(old.keyId)
    await expect(other.open(record)).rejects.toThrow('closed with another key')
    for (const at of [0, 16, record.sealed.length - 2]) {
      const letter = record.sealed[at] === 'A' ? 'B' : 'A'
      const sealed = record.sealed.slice(0, at) + letter + record.sealed.slice(at + 1)
      await expect(fresh.open({ ...record, sealed })).rejects.toThrow('damaged')
    }
    await expect(fresh.open({ ...record, sealed: '' })).rejects.toThrow('damaged')
  })

  test('a key is 32 bytes in any of three spellings, and nothing else is one', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, at) => 255 - at)
    const base64 = formatVaultKey(bytes)
    const spellings = [
      base64,
      `${base64}\n`,
      base64.replace('=', ''),
      Buffer.from(bytes).toString('base64url'),
      Buffer.from(bytes).toString('hex'),
    ]
    for (const text of spellings) expect(parseVaultKey(text)).toEqual(bytes)
    for (const text of ['', 'short', base64.slice(4), `${base64}AAAA`, 'z'.repeat(64)])
      expect(parseVaultKey(text)).toBeUndefined()
  })
})

describe('files of keys and secrets', () => {
  const NONE = { previousKeys: [], previousKeyFiles: [] }

  test('a key is made where there is none, for its owner alone, and is the same the next time', () => {
    const folder = makeFolder()
    const env = { XDG_CONFIG_HOME: folder }
    const [made] = readVaultKeys(NONE, env, undefined)
    const path = join(folder, 'crosspoint', 'vault.key')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readVaultKeys(NONE, env, undefined)).toEqual([made])
    expect(parseVaultKey(readFileSync(path, 'utf8'))).toEqual(made)
  })

  test('a key beside the store is refused, and so is one that others may read', () => {
    const folder = makeFolder()
    const keyFile = join(folder, 'key')
    writeFileSync(keyFile, formatVaultKey(key(7)), { mode: 0o600 })
    expect(readVaultKeys({ ...NONE, keyFile }, {}, undefined)).toEqual([key(7)])
    expect(() => readVaultKeys({ ...NONE, keyFile }, {}, join(folder, 'store.db'))).toThrow('lies beside the store')
    mkdirSync(join(folder, 'crosspoint'))
    const env = { XDG_CONFIG_HOME: folder }
    expect(() => readVaultKeys(NONE, env, join(folder, 'crosspoint', 'store.db'))).toThrow('lies beside the store')
    chmodSync(keyFile, 0o640)
    expect(() => readVaultKeys({ ...NONE, keyFile }, {}, undefined)).toThrow('allow its owner only')
    writeFileSync(keyFile, 'hello')
    chmodSync(keyFile, 0o600)
    expect(() => readVaultKeys({ ...NONE, keyFile }, {}, undefined)).toThrow('holds no key')
  })

  test('a secret that others may read or change is refused', () => {
    const path = join(makeFolder(), 'secret')
    writeFileSync(path, 'x', { mode: 0o600 })
    for (const [mode, isGood] of [
      [0o600, true],
      [0o640, true],
      [0o400, true],
      [0o644, false],
      [0o620, false],
      [0o602, false],
    ] as const) {
      chmodSync(path, mode)
      if (isGood) expect(readSecretFile(path)).toBe('x')
      else expect(() => readSecretFile(path), mode.toString(8)).toThrow('Others may read or change')
    }
    expect(() => readSecretFile(makeFolder())).toThrow('is no file of a secret')
    expect(() => readSecretFile('/no/such/file')).toThrow('cannot be read')
  })
})

describe('a server that wants a key', () => {
  const openServer = async (isGood: (key: string) => boolean) => {
    const seen: string[] = []
    const server = createServer({
      name: 's',
      version: '1',
      authenticate: ({ 'x-key': given = '' }) => {
        seen.push(given)
        if (!isGood(given)) throw new McpError('caller.unauthenticated', 'No')
        return { id: given, tenant: 't' }
      },
    })
    server.tool('whoami', {}, (_, { principal }) => principal.id)
    const door = await openHttpDoor({ endpoint: () => server.endpoint })
    onTestFinished(() => door.close({ drainMs: 0 }))
    return { url: `${door.url}/mcp`, seen }
  }
  const callOnce = async (url: string) =>
    (await sendEnveloped(url, 'tools/call', { name: 's__whoami', arguments: {} })).messages.at(-1).result.content[0]
      .text

  test('gets the one in the file, and, when it refuses that, the one that is there now', async () => {
    const path = join(makeFolder(), 'key')
    writeFileSync(path, 'first\n', { mode: 0o600 })
    let good = 'first'
    const { url, seen } = await openServer((given) => given === good)
    const house = await openHouse(
      { s: { url, headers: { 'x-key': '${secret:k}' } } },
      { secrets: { k: { file: path } } },
    )
    expect(await callOnce(house.url)).toBe('first')
    good = 'second'
    writeFileSync(path, 'second\n')
    expect(await callOnce(house.url)).toBe('second')
    expect(new Set(seen)).toEqual(new Set(['first', 'second']))
  })

  test('one that cannot be had is told by its name, to who runs the gateway', async () => {
    const { url, seen } = await openServer(() => true)
    const { gateway } = await openHouse(
      { s: { url, headers: { 'x-key': '${secret:k}' } } },
      { secrets: { k: { env: 'MISSING' } } },
      { env: {} },
    )
    expect(gateway.status()[0]?.reason).toContain('The secret "k" is not there: set MISSING')
    expect(seen).toEqual([])
  })

  test('a gateway that signs in as itself sends its own token, whoever calls', async () => {
    const issuedBy = await startAuthorizationServer()
    onTestFinished(() => issuedBy.stop())
    const tokens: string[] = []
    const server = createServer({
      name: 's',
      version: '1',
      authenticate: ({ authorization = '' }) => {
        tokens.push(authorization)
        const good = issuedBy.inspect(authorization.replace(/^Bearer /, ''))
        if (good === undefined) throw new McpError('caller.unauthenticated', 'No')
        return { id: good.clientId, tenant: 't' }
      },
    })
    server.tool('whoami', {}, (_, { principal }) => principal.id)
    const door = await openHttpDoor({
      endpoint: (path) => (path === '/mcp' ? server.endpoint : undefined),
      resourceMetadata: (path) => ({ resource: `${door.url}${path}`, authorization_servers: [issuedBy.issuer] }),
    })
    onTestFinished(() => door.close({ drainMs: 0 }))
    const { url } = await openHouse(
      {
        s: { url: `${door.url}/mcp`, auth: { kind: 'client-credentials', clientId: 'g', clientSecret: '${secret:k}' } },
      },
      { secrets: { k: { env: 'K' } } },
      { env: { K: 'hidden' } },
    )
    expect([await callOnce(url), await callOnce(url)]).toEqual(['g', 'g'])
    expect(issuedBy.grants()).toEqual(['client_credentials'])
    const [asked] = issuedBy.seen.filter(({ path }) => path === '/token')
    expect(asked?.headers.authorization).toBe(`Basic ${btoa('g:hidden')}`)
  })
})
