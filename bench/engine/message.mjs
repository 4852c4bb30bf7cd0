// What is said in all legs: an echo of 100 bytes, in the words of either era.

export const NEWEST = '2026-07-28'
export const NEWEST_SESSION = '2025-11-25'

export const META = {
  'io.modelcontextprotocol/protocolVersion': NEWEST,
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** 100 bytes that no two calls of a run have in common. */
export function toText(n) {
  return `${n} `.padEnd(100, 'lorem ipsum dolor sit amet ')
}

/** @param more how much more is to come back (peers/filler.mjs) */
export function toCall(n, era, tool = 'echo', more = undefined) {
  const params = { name: tool, arguments: { message: toText(n), more } }
  if (era === 'modern') params._meta = META
  return JSON.stringify({ jsonrpc: '2.0', id: n, method: 'tools/call', params })
}

export function toList(n, era) {
  return JSON.stringify({
    jsonrpc: '2.0',
    id: n,
    method: 'tools/list',
    params: era === 'modern' ? { _meta: META } : {},
  })
}

export const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 'open',
  method: 'initialize',
  params: { protocolVersion: NEWEST_SESSION, capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } },
})
export const INITIALIZED = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })

/** The schema of the echo: what a typical tool says of its input, and every call is held against. */
export const ECHO = {
  name: 'echo',
  description: 'Says it again',
  inputSchema: {
    type: 'object',
    properties: {
      message: { type: 'string', minLength: 1, maxLength: 10_000, description: 'What to say' },
      times: { type: 'integer', minimum: 1, maximum: 10 },
      tone: { type: 'string', enum: ['plain', 'loud'] },
      tags: { type: 'array', items: { type: 'string' }, maxItems: 20 },
    },
    required: ['message'],
    additionalProperties: false,
  },
}

/** Tools besides, of ordinary size. */
export function toTools(count) {
  const tools = [ECHO]
  for (let at = 1; at < count; at++) {
    tools.push({
      ...ECHO,
      name: `tool_${at}`,
      description: `Does the thing of number ${at}, which takes a sentence or two to say, as tools of real servers do.`,
    })
  }
  return tools
}
