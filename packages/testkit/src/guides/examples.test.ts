import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { layOut, runLine } from './guide.ts'

const weather = fileURLToPath(new URL('../../../../examples/weather/', import.meta.url))

describe('the example of a tool that asks', () => {
  it('has a client that runs', async () => {
    const output = 'forecast: The weather of tomorrow\nWhich unit?\nSunny in Rome, 21 °C\n'
    expect(await runLine('node client.mjs', weather)).toEqual({ code: 0, output })
  })

  it('has tests that pass', async () => {
    const { code, output } = await runLine('node --test --test-reporter=tap', weather)
    expect([code, output]).toEqual([0, expect.stringMatching(/^# pass 11$/m)])
  })
})

/** The lines that made us begin: a server as it is meant to be written. */
const SNIPPET = `
const server = createServer({ name: 'weather', version: '1.0.0' })
server.tool('forecast', { description: '…', input: z.object({ city: z.string() }) }, async ({ city }, ctx) => {
  const { unit } = await ctx.elicit('Which unit?', z.object({ unit: z.enum(['C', 'F']) }))
  return \`Sunny in \${city}, 21 °\${unit}\`
})
await serve(server)`

it('runs a server of six lines over stdio', async () => {
  const imports = `import { createServer, serve } from '@crosspoint/mcp/server'\nimport { z } from 'zod'\n`
  const client = readFileSync(`${weather}client.mjs`, 'utf8')
  const { folder, remove } = layOut(
    new Map([
      ['server.mjs', imports + SNIPPET],
      ['client.mjs', client],
    ]),
  )
  onTestFinished(remove)
  const ran = await runLine('node client.mjs', folder)
  expect(ran).toEqual({ code: 0, output: 'forecast: …\nWhich unit?\nSunny in Rome, 21 °C\n' })
})
