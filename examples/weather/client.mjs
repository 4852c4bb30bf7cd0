// Asks for the weather, and answers what the server asks: node client.mjs [url]
import { fileURLToPath } from 'node:url'
import { connect } from '@crosspoint/mcp/client'

const [url] = process.argv.slice(2)
const program = fileURLToPath(new URL('server.mjs', import.meta.url))

const client = await connect(url ?? { command: process.execPath, args: [program] }, {
  client: { name: 'weather-client', version: '1.0.0' },
  handlers: {
    elicit({ message }) {
      console.log(message)
      return { action: 'accept', content: { unit: 'C' } }
    },
  },
})
for (const { name, description } of await client.listTools().all()) console.log(`${name}: ${description}`)
const { content } = await client.callTool('forecast', { city: 'Rome' })
console.log(content[0].text)
await client.close()
