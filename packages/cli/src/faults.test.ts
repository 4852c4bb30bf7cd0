import { readFile } from 'node:fs/promises'
import { McpError } from '@crosspoint/mcp'
import { expect, it } from 'vitest'
import { CliError, describeExitCodes } from './exit.ts'
import { toCliError } from './faults.ts'

it.each([
  [new McpError('upstream.unauthorized', 'Sign in'), 3],
  [new McpError('upstream.unavailable', 'Gone'), 4],
  [new McpError('upstream.timeout', 'Late'), 4],
  [new McpError('upstream.closed', 'Closed'), 4],
  [new McpError('upstream.error', 'No', { rpc: { code: -32602, message: 'Invalid' } }), 6],
  [new McpError('upstream.protocol', 'Gibberish'), 6],
  [new McpError('caller.invalid_params', 'Wrong'), 6],
  [new McpError('internal.error', 'Ours'), 70],
  [new TypeError('x is undefined'), 70],
  [new CliError('usage', 'Typo'), 1],
])('gives %s the exit code %i', (error, code) => {
  expect(toCliError(error).exitCode).toBe(code)
})

it('tells a file that is not there as a mistake of the person at the keyboard', async () => {
  const error = await readFile('/nowhere/at/all').catch((reason: unknown) => reason)
  expect(toCliError(error)).toMatchObject({ kind: 'usage', code: 'ENOENT' })
})

it("passes on a server's own words and code, saying what was being done", () => {
  const error = new McpError('upstream.error', 'Upstream failed', { rpc: { code: -32000, message: 'Quota used up' } })
  expect(toCliError(error, 'Cannot call "echo"')).toMatchObject({
    message: 'Cannot call "echo": Quota used up',
    code: -32000,
  })
  expect(toCliError(new McpError('upstream.closed', 'Cannot reach "x"'), 'Cannot call "y"').message).toBe(
    'Cannot reach "x"',
  )
})

it('documents every exit code it uses', () => {
  const text = describeExitCodes()
  for (const code of [0, 1, 3, 4, 5, 6, 70, 130, 143]) expect(text).toMatch(new RegExp(`^ +${code}  `, 'm'))
  expect(text).not.toMatch(/^ +2 /m)
})
