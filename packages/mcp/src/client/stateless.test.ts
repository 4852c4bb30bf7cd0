import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { CLIENT_CAPABILITIES } from '../protocol/envelope.ts'
import { toCall } from '../protocol/fixtures/calls.ts'
import { NEWEST } from '../revisions/index.ts'
import type { Wire } from '../transports/wire.ts'
import { toSettings } from './settings.ts'
import { openStateless } from './stateless.ts'

/** A conversation whose wire keeps what each request declares. */
function open(capabilities: JsonObject) {
  const declared: JsonObject[] = []
  const wire = {
    revision: NEWEST,
    adopt() {},
    async request(_outgoing: unknown, hop: string) {
      const members: JsonObject = JSON.parse(`{${hop}}`)
      declared.push(members[CLIENT_CAPABILITIES] as JsonObject) // what we declare is an object
      return { kind: 'result', result: {} }
    },
  } as unknown as Wire // all that a conversation uses of it to send a request
  const settings = toSettings({ client: { name: 'c', version: '1' }, capabilities })
  const opened = openStateless(wire, NEWEST, { kind: 'result', result: {} }, settings)
  const declare = async (behind: JsonObject) => {
    const { downstream } = toCall('tools/list')
    await opened.handle(toCall('tools/list', {}, { downstream: { ...downstream, capabilities: behind } }))
    return declared.pop()
  }
  return { declare }
}

describe('what a request declares', () => {
  const extensions = (ids: readonly number[]) => ({
    extensions: Object.fromEntries(ids.map((id) => [`com.example/e${id}`, { id }])),
  })
  const all = Array.from({ length: 70 }, (_, id) => id)

  it('is what the caller can do, also of more capabilities than a number has bits', async () => {
    const { declare } = open({ roots: {}, ...extensions(all) })
    for (const ids of [[0], [32], [31, 63], [1, 33], [69], all.filter((id) => id % 2 === 0)]) {
      expect(await declare(extensions(ids))).toEqual(extensions(ids))
    }
    expect(await declare({ roots: {} })).toEqual({ roots: {} })
    expect(await declare({})).toEqual({})
  })

  it('is right for any number of different callers', async () => {
    const { declare } = open(extensions(all))
    for (let caller = 0; caller < 400; caller++) {
      const ids = all.filter((id) => id < 10 && (caller & (1 << id)) !== 0)
      expect(await declare(extensions(ids))).toEqual(ids.length === 0 ? {} : extensions(ids))
    }
  })
})
