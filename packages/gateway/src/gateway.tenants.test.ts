import type { JsonObject } from '@crosspoint/mcp'
import { type Client, connect } from '@crosspoint/mcp/client'
import { createServer } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { expect, onTestFinished, test } from 'vitest'
import { openGuarded } from '../fixtures/open-guarded.ts'

const TENANTS = ['acme', 'umbrella'] as const
type Tenant = (typeof TENANTS)[number]
const CALLS = 1_000
const OLDER = '2025-06-18'

/** A server that remembers what it is told, for each of its sessions, and records what it is shown. */
async function startRemembering(revision: string) {
  const shown: unknown[] = []
  const memory = new Map<string | undefined, string>()
  const server = createServer({
    name: 'old',
    version: '1',
    revisions: [revision],
    authenticate(headers) {
      shown.push(headers)
      return { id: 'gateway', tenant: 't' }
    },
  })
  const input = { type: 'object' }
  server.tool('remember', { input }, ({ value }: JsonObject, { call }) => {
    shown.push([call.meta, call.params])
    memory.set(call.downstream.session, String(value))
    return 'done'
  })
  server.tool('recall', { input, annotations: { readOnlyHint: true } }, ({ q }: JsonObject, { call }) => {
    return `${memory.get(call.downstream.session)}:${String(q)}`
  })
  server.tool('swap', { input }, ({ value }: JsonObject, { call }) => {
    const before = memory.get(call.downstream.session)
    memory.set(call.downstream.session, String(value))
    return String(before)
  })
  server.tool('touch', { input }, () => {
    for (const tenant of TENANTS) server.resourceUpdated(`note://${tenant}`)
    return 'touched'
  })
  for (const tenant of TENANTS) {
    server.tool(`of_${tenant}`, { input }, () => tenant)
    server.resource(`note://${tenant}`, { name: tenant }, () => `a note of ${tenant}`)
  }
  const door = await openHttpDoor({ endpoint: (path) => (path === '/mcp' ? server.endpoint : undefined) })
  onTestFinished(() => door.close({ drainMs: 0 }))
  return { url: `${door.url}/mcp`, shown }
}

test.each([OLDER, '2025-11-25'])(
  'abuse-43, abuse-28: two tenants with 1,000 interleaved calls each over lists, results, sessions and subscriptions never cross (a %s server)',
  async (revision) => {
    const old = await startRemembering(revision)
    const rules = TENANTS.map((tenant) => ({
      name: `only-${tenant}`,
      effect: 'deny',
      tools: [`old__of_${tenant}`],
      resources: [`note://${tenant}`],
      when: `principal.tenant != "${tenant}"`,
    }))
    const traffic = { cache: { rules: [{ match: { tools: ['old__recall'] }, ttlMs: 60_000 }] } }
    const { key, door, gateway } = await openGuarded({
      more: { servers: { old: { url: old.url } }, policy: { rules }, traffic },
    })
    const keys: string[] = []
    /** The same name in both tenants: a client of the newest revision, and one that has a session. */
    const callers = await Promise.all(
      TENANTS.flatMap((tenant) =>
        [undefined, OLDER].map(async (spoken) => {
          const { text } = await key({ principal: 'anna', tenant })
          keys.push(text)
          const headers = { authorization: `Bearer ${text}` }
          const client = await connect(
            { kind: 'http', url: door.url, headers },
            { client: { name: 'test', version: '1' }, ...(spoken === undefined ? {} : { revision: spoken }) },
          )
          onTestFinished(() => client.close())
          await client.callTool('old__remember', { value: tenant })
          return { tenant, client, heard: listenTo(client) }
        }),
      ),
    )
    const crossings: unknown[] = []
    const check = (isRight: boolean, what: unknown) => void (isRight || crossings.push(what))
    const turns: readonly ((caller: (typeof callers)[number], n: number) => Promise<void>)[] = [
      async ({ tenant, client }) => {
        const names = (await client.listTools().all()).map(({ name }) => name).filter((name) => name.includes('of_'))
        check(names.join() === `old__of_${tenant}`, [tenant, names])
      },
      async ({ tenant, client }, n) => {
        // All of them ask the same, in turns.
        const q = Math.floor(n / turns.length) % 10
        const text = textOf(await client.callTool('old__recall', { q }))
        check(text.startsWith(tenant) && text.endsWith(`:${q}`), [tenant, text])
      },
      async ({ tenant, client }, n) => {
        const text = textOf(await client.callTool('old__swap', { value: `${tenant} ${n}` }))
        check(text.startsWith(tenant), [tenant, text])
      },
      async ({ tenant, client }) => {
        const uris = (await client.listResources().all()).map(({ uri }) => uri)
        check(uris.join() === `note://${tenant}`, [tenant, uris])
        const { contents } = await client.readResource(`note://${tenant}`)
        check(JSON.stringify(contents).includes(`a note of ${tenant}`), [tenant, contents])
        const other = await client.readResource(`note://${otherOf(tenant)}`).catch(() => undefined)
        check(other === undefined, [tenant, other])
      },
      async ({ client }, n) => void (n % 50 === 4 && (await client.callTool('old__touch'))),
    ]
    // Two clients of each tenant.
    for (let n = 0; n < CALLS / 2; n++) {
      await Promise.all(callers.map((caller, at) => turns[(n + at) % turns.length]?.(caller, n)))
    }
    for (const { tenant, heard } of callers) {
      await heard.some()
      check(
        heard.uris().every((uri) => uri === `note://${tenant}`),
        [tenant, heard.uris()],
      )
    }
    expect(crossings).toEqual([])
    const hits = gateway.traffic().find(({ name }) => name === 'cache_hits')?.value ?? 0
    expect(hits).toBeGreaterThan(100)
    const shown = JSON.stringify(old.shown)
    for (const text of keys) expect(shown).not.toContain(text.slice(-43))
    expect(shown).not.toMatch(/authorization|x-api-key|cpk_|anna|umbrella"?,"id/i)
  },
)

/** What it hears of notes, its own and those of others. */
function listenTo(client: Client) {
  const uris: string[] = []
  let told: (() => void) | undefined
  const subscription = client.listen({ resourceSubscriptions: TENANTS.map((tenant) => `note://${tenant}`) })
  void (async () => {
    for await (const { method, params } of subscription) {
      if (method !== 'notifications/resources/updated') continue
      uris.push(String(params.uri))
      told?.()
    }
  })().catch(() => undefined)
  return {
    uris: () => uris,
    some: () => (uris.length > 0 ? Promise.resolve() : new Promise<void>((resolve) => (told = resolve))),
  }
}

function otherOf(tenant: Tenant): Tenant {
  return tenant === 'acme' ? 'umbrella' : 'acme'
}

function textOf({ content }: { readonly content: readonly JsonObject[] }): string {
  return String(content[0]?.text)
}
