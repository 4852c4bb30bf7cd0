// The server at work, as each revision of the protocol has it: node --test
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { REVISIONS } from '@crosspoint/mcp'
import { connect } from '@crosspoint/mcp/client'
import { scriptElicitation } from '@crosspoint/mcp/testing'

const args = [fileURLToPath(new URL('server.mjs', import.meta.url))]
const client = { name: 'weather-test', version: '1.0.0' }

/** Starts the server over HTTP and gives its address. It is ended with the test. */
async function listening(t) {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.after(async () => {
    child.kill()
    await once(child, 'close')
  })
  const [line] = await once(createInterface(child.stderr), 'line')
  return line.replace('Listening at ', '')
}

/** Without a word for a question: there the tool says why it fails. */
const CANNOT_ASK = ['2025-03-26', '2024-11-05']

for (const { name: revision } of REVISIONS) {
  for (const over of ['stdio', 'HTTP']) {
    test(`asks for the unit over ${over} in ${revision}`, async (t) => {
      const elicit = scriptElicitation({ action: 'accept', content: { unit: 'F' } })
      const target = over === 'HTTP' ? await listening(t) : { command: process.execPath, args }
      const weather = await connect(target, { client, revision, handlers: { elicit } })
      t.after(() => weather.close())
      const { isError = false, content } = await weather.callTool('forecast', { city: 'Rome' })
      if (CANNOT_ASK.includes(revision)) return assert.equal(isError, true)
      assert.equal(content[0].text, 'Sunny in Rome, 21 °F')
      assert.deepEqual(
        elicit.questions.map(({ message }) => message),
        ['Which unit?'],
      )
    })
  }
}

test('says that nobody chose a unit', async (t) => {
  const weather = await connect(
    { command: process.execPath, args },
    { client, handlers: { elicit: scriptElicitation('decline') } },
  )
  t.after(() => weather.close())
  const { isError, content } = await weather.callTool('forecast', { city: 'Rome' })
  assert.deepEqual([isError, content[0].text], [true, 'The user declined when asked: Which unit?'])
})
