import { describe, expect, it } from 'vitest'
import { CALLER_LIMITS } from '../jsonrpc/limits.ts'
import { Relayed } from '../jsonrpc/relayed.ts'
import { toCall } from '../protocol/fixtures/calls.ts'
import { fixtureServer } from '../transports/stdio/fixtures/servers.ts'
import type { Connection, ConnectionOptions, Target } from './connection.ts'
import { openConnection } from './open.ts'

const client = { name: 'test', version: '1' }

async function withServer(
  habits: string[],
  options: Partial<ConnectionOptions>,
  use: (connection: Connection) => Promise<void>,
): Promise<void> {
  const connection = await openConnection(fixtureServer(...habits), { client, killGraceMs: 100, ...options })
  try {
    await use(connection)
  } finally {
    await connection.close()
  }
}

const call = (name: string, more = {}) => toCall('tools/call', { name, arguments: {} }, more)
const textOf = (name: string) => ({ content: [{ type: 'text', text: JSON.stringify({ name, arguments: {} }) }] })

describe('a large result of a stdio server', () => {
  const name = 'é'.repeat(20_000)

  it('is relayed where somebody asked for it, and says the same', () =>
    withServer(['legacy'], { relayFromBytes: 16_384 }, async ({ handle }) => {
      const result = await handle(call(name))
      expect(result).toBeInstanceOf(Relayed)
      expect(result).toEqual(textOf(name))
      expect(await handle(call('small'))).not.toBeInstanceOf(Relayed)
    }))

  it('is read where nobody did', () =>
    withServer(['legacy'], {}, async ({ handle }) => {
      const result = await handle(call(name))
      expect(result).not.toBeInstanceOf(Relayed)
      expect(result).toEqual(textOf(name))
    }))
})

describe('the era of a stdio server', () => {
  it('is the newest handshake revision after an error to the probe', () =>
    withServer(['legacy'], {}, async ({ verdict, serverInfo, instructions }) => {
      expect(verdict.revision).toBe('2025-11-25')
      expect(serverInfo).toEqual({ name: 'fixture', version: '1' })
      expect(instructions).toBe('Be kind')
    }))

  it('trap-23: does not depend on the code of that error', () =>
    withServer(['odd'], {}, async ({ verdict }) => expect(verdict.revision).toBe('2025-11-25')))

  it('is the handshake after a silence', () =>
    withServer(['silent'], { probeTimeoutMs: 50 }, async ({ verdict }) => expect(verdict.revision).toBe('2025-11-25')))

  it('trap-34: is the older one that the server answers with', () =>
    withServer(['older'], {}, async ({ verdict }) => expect(verdict.revision).toBe('2024-11-05')))

  it('is the envelope when the server answers the probe', () =>
    withServer(['modern'], {}, async ({ verdict, handle, serverInfo }) => {
      expect(verdict.revision).toBe('2026-07-28')
      expect(serverInfo).toEqual({ name: 'fixture', version: '1' })
      const result = await handle(call('echo'))
      expect(JSON.parse((result.content as [{ text: string }])[0].text)._meta).toEqual({
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': client,
        'io.modelcontextprotocol/clientCapabilities': {},
      })
    }))

  it('is still the envelope when a slow start looks like silence', () =>
    withServer(['modern', 'late'], { probeTimeoutMs: 50 }, async ({ verdict }) =>
      expect(verdict.revision).toBe('2026-07-28'),
    ))

  it('is found out by a restart when the server exits on the probe', async () => {
    const faults: string[] = []
    await withServer(['shy'], { fault: (reason) => faults.push(reason) }, async ({ verdict, handle }) => {
      expect(verdict.revision).toBe('2025-11-25')
      expect(await handle(call('echo'))).toEqual(textOf('echo'))
    })
    expect(faults).toEqual(['The server exits when it is probed; it is started again and opened with initialize'])
  })

  it('is not probed for while a verdict is fresh', async () => {
    const faults: string[] = []
    const verdict = { revision: '2025-11-25', at: new Date().toISOString() }
    await withServer(['shy'], { verdict, fault: (reason) => faults.push(reason) }, async () => {})
    expect(faults).toEqual([])
  })

  it('is probed for again once a verdict is a day old', async () => {
    const verdict = { revision: '2025-11-25', at: new Date(Date.now() - 25 * 3_600_000).toISOString() }
    await withServer(['modern'], { verdict }, async (connection) =>
      expect(connection.verdict.revision).toBe('2026-07-28'),
    )
  })

  it('is the envelope even when a fresh verdict says otherwise and the server names its revisions', async () => {
    const verdict = { revision: '2025-11-25', at: new Date().toISOString() }
    await withServer(['modern'], { verdict }, async (connection) =>
      expect(connection.verdict.revision).toBe('2026-07-28'),
    )
  })

  it('is the pinned one or none', async () => {
    await withServer(['legacy'], { revision: '2025-06-18' }, async ({ verdict }) =>
      expect(verdict.revision).toBe('2025-06-18'),
    )
    const wanted: [string[], string][] = [
      [['legacy'], '2026-07-28'],
      [['modern'], '2025-11-25'],
      [['older'], '2025-11-25'],
    ]
    for (const [habits, revision] of wanted) {
      const failure = await openConnection(fixtureServer(...habits), { client, revision }).catch((e) => e)
      expect(failure).toMatchObject({ name: 'McpError' })
    }
  })

  it('must be one we speak', async () => {
    const failure = await openConnection(fixtureServer('unknown-revision'), { client }).catch((e) => e)
    expect(failure).toMatchObject({
      code: 'upstream.protocol',
      message: 'Cannot speak with the server: it answers initialize with "1999-01-01"',
    })
  })
})

describe('a stdio server', () => {
  it('gets the environment of its target and nothing of ours', async () => {
    const lines: string[] = []
    const target: Target = { ...fixtureServer('env'), env: { ONLY: 'this' } }
    const connection = await openConnection(target, { client, stderr: (line) => lines.push(line) })
    await connection.close()
    expect(lines).toEqual(['ENV {"ONLY":"this"}'])
  })

  it('gets its arguments as they are, without a shell in between', async () => {
    const lines: string[] = []
    const odd = ['args', '$(id)', '; echo x', '"quoted"', "it's", '*', 'a b', '']
    const connection = await openConnection(fixtureServer(...odd), { client, stderr: (line) => lines.push(line) })
    await connection.close()
    expect(lines).toEqual([`ARGS ${JSON.stringify(odd)}`])
  })

  it('that cannot start says why in the words of its own error', async () => {
    const target = { ...fixtureServer(), args: ['--input-type=module', '-e', "import 'not-installed'"] }
    const failure = await openConnection(target, { client }).catch((e) => e)
    expect(failure).toMatchObject({ code: 'upstream.unavailable' })
    expect(failure.message).toMatch(
      /^The server ".*" exited with code 1: Error \[ERR_MODULE_NOT_FOUND\]: Cannot find package 'not-installed' imported from .*$/,
    )
  })

  it('that never answers is given up, by name and in time', async () => {
    const failure = await openConnection(fixtureServer('mute'), {
      client,
      probeTimeoutMs: 20,
      connectTimeoutMs: 100,
      killGraceMs: 100,
    }).catch((e) => e)
    expect(failure).toMatchObject({ code: 'upstream.timeout' })
    expect(failure.message).toMatch(
      /^Cannot open ".*": no answer within 0\.1 s; if it needs longer to start, raise .connectTimeoutMs.$/,
    )
  })

  it('that is silent while it is probed is given up as soon as nobody waits any longer', async () => {
    const waiting = new AbortController()
    const opening = openConnection(fixtureServer('mute'), {
      client,
      probeTimeoutMs: 600_000,
      connectTimeoutMs: 600_000,
      killGraceMs: 100,
      signal: waiting.signal,
    }).catch((e) => e)
    waiting.abort()
    expect(await opening).toMatchObject({ code: 'upstream.unavailable', message: expect.stringContaining('Gave up') })
  })

  it('that dies takes its calls with it and says how it died', () =>
    withServer(['legacy'], {}, async ({ handle, closed }) => {
      const failures = await Promise.all([handle(call('never')).catch((e) => e), handle(call('die')).catch((e) => e)])
      for (const failure of failures) {
        expect(failure.code).toBe('upstream.closed')
        expect(failure.message).toContain('its outcome is unknown')
      }
      const { reason, asked } = await closed
      expect(asked).toBe(false)
      expect(reason).toMatch(/^The server ".*" exited with code 7; its last words: I am about to die$/)
      const late = await Promise.resolve()
        .then(() => handle(call('echo')))
        .catch((e) => e)
      expect(late).toMatchObject({ code: 'upstream.unavailable' })
    }))

  it('is told when a caller cancels, and its slot is free', () =>
    withServer(['legacy'], { maxInFlight: 1 }, async ({ handle }) => {
      const cancel = new AbortController()
      const waiting = handle(call('never', { signal: cancel.signal })).catch((e) => e)
      expect(await handle(call('echo')).catch((e) => e)).toMatchObject({ code: 'policy.limit' })
      cancel.abort()
      expect(await waiting).toMatchObject({ code: 'caller.cancelled' })
      expect(await handle(call('echo'))).toEqual(textOf('echo'))
    }))
})

describe('abuse-37: stdio framing', () => {
  it('skips noise on stdout, tells of it, and goes on', async () => {
    const faults: [string, string][] = []
    await withServer(['noise'], { fault: (...fault) => faults.push(fault) }, async ({ handle }) => {
      expect(await handle(call('echo'))).toEqual(textOf('echo'))
    })
    expect(faults).toEqual([
      ['Cannot read the message: it is not valid JSON', 'Starting up on port 3000...'],
      ['Cannot read the message: it is not valid JSON', 'calling echo {"not": json}'],
    ])
  })

  it('skips bytes that are not UTF-8', async () => {
    const faults: string[] = []
    await withServer(['bytes'], { fault: (reason) => faults.push(reason) }, async ({ handle }) => {
      expect(await handle(call('echo'))).toEqual(textOf('echo'))
    })
    expect(faults).toEqual(['Cannot read a line that is not UTF-8'])
  })

  it('puts messages together that arrive in pieces, characters split included', () =>
    withServer(['halves'], {}, async ({ handle }) => {
      expect(await handle(call('größe 🙂'))).toEqual(textOf('größe 🙂'))
    }))

  it('takes two messages in one chunk apart', async () => {
    const stray: unknown[] = []
    await withServer(['pairs'], { stray: (notification) => stray.push(notification) }, async ({ handle }) => {
      expect(await handle(call('echo'))).toEqual(textOf('echo'))
    })
    expect(stray.length).toBeGreaterThan(0)
  })

  it('survives a flood on stderr and cuts it short', async () => {
    const lines: string[] = []
    await withServer(['flood'], { stderr: (line) => lines.push(line) }, async ({ handle }) => {
      expect(await handle(call('echo'))).toEqual(textOf('echo'))
    })
    expect(lines.length).toBeGreaterThan(100)
    expect(lines.length).toBeLessThan(10_000)
    expect(lines.some((line) => /^\(\d+ lines more in a flood\)$/.test(line))).toBe(true)
  })

  it('ends a server that ignores the end of its stdin and TERM', async () => {
    const connection = await openConnection(fixtureServer('deaf'), { client, killGraceMs: 50 })
    await connection.close()
    expect(await connection.closed).toEqual({ reason: 'Closed by us', asked: true })
  })
})

describe('abuse-16: an endless line', () => {
  it('ends the conversation with a reason, and no more than the limit is held', () =>
    withServer(['legacy'], { limits: { ...CALLER_LIMITS, maxBytes: 1024 * 1024 } }, async ({ handle, closed }) => {
      const before = process.memoryUsage().rss
      const failure = await handle(call('endless')).catch((e) => e)
      expect(failure.message).toContain('The server wrote a line of more than 1048576 bytes')
      expect((await closed).reason).toContain('The server wrote a line of more than 1048576 bytes')
      expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
    }))
})
