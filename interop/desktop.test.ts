import { NEWEST } from '@crosspoint/mcp'
import { describe, expect, test } from 'vitest'
import { descendants, sweep } from './child.ts'
import { converse, type Speaker } from './conversation.ts'
import { CROSSPOINT } from './gateway.ts'
import { installed, requireInCi, root } from './installed.ts'

const CONFIG = `${root}/examples/quickstart/crosspoint.yaml`
const SERVERS = 3

requireInCi()

/** A client on somebody's desk, which starts the gateway itself and ends it by closing its input. */
describe.skipIf(!installed)('the quickstart, started by a client', () => {
  const speakers: readonly (readonly [string, Speaker])[] = [
    ['SDK v1', { line: 1 }],
    [`SDK v2 pinned to ${NEWEST.name}`, { line: 2, mode: { pin: NEWEST.name } }],
  ]
  test.each(speakers)('runs each server once for %s, and leaves none behind', async (_, speaker) => {
    const target = { command: process.execPath, args: [CROSSPOINT, 'stdio', '--config', CONFIG] }
    const client = await converse(speaker, target)
    // The SDK has read it as a list of tools.
    const { tools } = (await client.act('listTools')) as { readonly tools: readonly { readonly name: string }[] }
    expect(new Set(tools.map(({ name }) => name.split('__')[0]))).toEqual(
      new Set(['everything', 'filesystem', 'memory']),
    )
    expect(await client.text('everything__echo', { message: 'hi' })).toBe('Echo: hi')
    expect(await client.text('filesystem__list_allowed_directories')).toContain('/examples/quickstart/files')
    expect(await client.call('memory__read_graph')).toMatchObject({
      structuredContent: { entities: expect.any(Array) },
    })
    const pid = client.pid ?? expect.fail('The client did not say what it started')
    const children = descendants(pid)
    await client.close()
    // And one that watches over them.
    if (process.platform === 'linux') expect(children).toHaveLength(SERVERS + 1)
    expect(await sweep([pid, ...children]), 'processes left behind').toEqual([])
  })
})
