// What the victims of the load answer: one tool that says again what it is told, in the words of either era.

const echo = {
  name: 'echo',
  description: 'Says it again',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
}
const hints = { ttlMs: 60_000, cacheScope: 'private' }
const toContent = ({ arguments: { text } }) => ({ content: [{ type: 'text', text }] })

const MODERN = {
  'server/discover': () => ({ ...hints, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }),
  'tools/list': () => ({ ...hints, tools: [echo] }),
  'tools/call': toContent,
}
const LEGACY = {
  initialize: () => ({
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'echo', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [echo] }),
  'tools/call': toContent,
}

export function answerEcho(id, method, params, era) {
  const answers = era === 'modern' ? MODERN : LEGACY
  const answer = Object.hasOwn(answers, method) ? answers[method] : undefined
  if (answer === undefined) return { jsonrpc: '2.0', id, error: { code: -32601, message: `Unknown method ${method}` } }
  const result = answer(params)
  return { jsonrpc: '2.0', id, result: era === 'modern' ? { resultType: 'complete', ...result } : result }
}
