// A tool that asks its caller back. Started by a client it speaks over stdio; with PORT set, over HTTP.
import { createServer, serve } from '@crosspoint/mcp/server'
import { z } from 'zod'

const server = createServer({ name: 'weather', version: '1.0.0' })
server.tool(
  'forecast',
  { description: 'The weather of tomorrow', input: z.object({ city: z.string() }) },
  async ({ city }, ctx) => {
    const { unit } = await ctx.elicit('Which unit?', z.object({ unit: z.enum(['C', 'F']) }))
    return `Sunny in ${city}, 21 °${unit}`
  },
)

const { PORT } = process.env
await serve(server, PORT === undefined ? {} : { port: Number(PORT), announce: true })
