import { layOut, readGuide, runLine, startLine } from '@crosspoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installed, requireInCi, root } from './installed.ts'

requireInCi()

const { files, commands, unnamed } = readGuide('docs/guides/migration.md')
const LINES = ['v1', 'v2', 'crosspoint'] as const

/** What every client prints. */
const SEEN = `forecast
watch
Which unit?
Sunny in Rome, 21 °C
Oslo: snow
Describe the weather in Rome.
Looking out
Given up
`

/** The page about coming from the official SDK shows programs of three libraries: all of them with all of them. */
describe.skipIf(!installed)('the guide docs/guides/migration.md', () => {
  const official = `${root}/interop/node_modules`
  const { folder, remove } = layOut(files, { v1: official, v2: official, crosspoint: `${root}/node_modules` })
  afterAll(remove)

  test('has the same programs for each library, and no other code', () => {
    const programs = ['weather.mjs', 'stdio.mjs', 'http.mjs', 'client.mjs', 'test.mjs']
    const all = programs.flatMap((program) => LINES.map((line) => `${line}/${program}`))
    expect([[...files.keys()].sort(), unnamed]).toEqual([all.sort(), []])
  })

  test.each(commands)('shows what is printed by: %s', async (line, output) => {
    expect(await runLine(line, folder)).toEqual({ code: 0, output })
  })

  test.each(LINES)('has a test for %s that passes', async (line) => {
    expect(await runLine(`node ${line}/test.mjs`, folder)).toEqual({ code: 0, output: '' })
  })

  const pairs = LINES.flatMap((client) => LINES.map((server) => [client, server] as const))

  test.each(pairs)('the client of %s does all it does with the server of %s over stdio', async (client, server) => {
    const { output } = await runLine(`node ${client}/client.mjs ${server}/stdio.mjs`, folder)
    expect(output).toBe(SEEN)
  })

  describe.each(LINES)('with the server of %s over HTTP', (server) => {
    let running: Awaited<ReturnType<typeof startLine>>
    beforeAll(async () => {
      running = await startLine(`PORT=0 node ${server}/http.mjs`, folder, /http:\S+/)
    })
    afterAll(() => running.stop())

    test.each(LINES)('the client of %s does all it does', async (client) => {
      const { output } = await runLine(`node ${client}/client.mjs ${running.said}`, folder)
      // It serves older clients without sessions, and so cannot ask them: the page says so.
      if (client === 'v1' && server === 'v2') expect(output).toContain('Cannot request input')
      else expect(output).toBe(SEEN)
    })
  })
})
