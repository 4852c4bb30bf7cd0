import { createServer, type Server, UrlElicitationRequired } from '@crosspoint/mcp/server'

/**
 * A server of one revision and no other, with something for every row of the matrix. Its URIs have its name.
 * @param grow makes it have one more tool. Default: it registers the tool itself
 */
export function createMatrixServer(name: string, revision: string, grow?: (tool: string) => void): Server {
  const server = createServer({ name, version: '1', revisions: [revision] })
  registerPlain(server)
  registerWatched(server, name, grow ?? ((tool) => registerGrown(server, tool)))
  registerAsking(server, name)
  return server
}

/** What it has from the beginning, in order. */
export const TOOLS = [
  'echo',
  'count',
  'log',
  'object',
  'list',
  'content',
  'big',
  'job',
  'wait',
  'seen',
  'touch',
  'grow',
  'form',
  'page',
  'sample',
  'roots',
  'rounds',
  'steps',
  'account',
  'visit',
] as const

export const BIG = `<${'0123456789abcdef'.repeat(65_536)}>`

function registerPlain(server: Server): void {
  server.tool('echo', { input: toInput('text') }, ({ text }) => `You said ${String(text)}`)
  server.tool('count', {}, (_args, { progress }) => {
    progress(1, 3, 'one')
    progress(2, 3, 'two')
    progress(3, 3, 'three')
    return 'counted'
  })
  server.tool('log', {}, (_args, { log }) => {
    log('debug', 'too much')
    log('info', 'enough', 'matrix')
    log('error', { broken: true })
    return 'logged'
  })
  const one = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
  server.tool('object', { output: one }, () => ({ n: 1 }))
  server.tool('list', { output: { type: 'array', items: { type: 'number' } } }, () => [1, 2])
  server.tool('content', {}, () => [
    { type: 'text', text: 'words' },
    { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' },
    { type: 'resource_link', uri: LINK, name: 'elsewhere' },
  ])
  server.tool('big', {}, () => BIG)
  server.tool('job', { task: true }, (_args, { progress }) => {
    progress(1)
    return 'worked'
  })
  const complete = { who: { required: true, complete: (typed: string) => NAMES.filter((n) => n.startsWith(typed)) } }
  server.prompt('greet', { arguments: complete }, ({ who }) => `Hello ${String(who)}`)
}

/** Where the content of a result points to. */
export const LINK = 'https://example.com/elsewhere'
const NAMES = ['ada', 'alan', 'grace']

/** What can be seen of it from outside: what happened to a call, and what changes on command. */
function registerWatched(server: Server, name: string, grow: (tool: string) => void): void {
  const events = new Set<string>()
  const waiting = new Set<() => void>()
  const happened = (event: string) => {
    events.add(event)
    for (const look of [...waiting]) look()
  }
  server.tool('wait', { input: toInput('key') }, ({ key }, { signal }) => {
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        happened(`${String(key)} cancelled`)
        resolve('too late')
      })
      happened(`${String(key)} started`)
    })
  })
  server.tool('seen', { input: toInput('event') }, ({ event }) => {
    return new Promise((resolve) => {
      const look = () => {
        if (!events.has(String(event))) return
        waiting.delete(look)
        resolve(`seen: ${String(event)}`)
      }
      waiting.add(look)
      look()
    })
  })
  const uri = toWatched(name)
  server.resource(uri, { name: 'watched', mimeType: 'text/plain' }, () => 'watched')
  server.template(toTemplate(name), { name: 'item' }, (_uri, { id }) => (id === 'none' ? undefined : `item ${id}`))
  server.tool('touch', {}, () => {
    server.resourceUpdated(uri)
    return 'touched'
  })
  server.tool('grow', { input: toInput('name') }, ({ name: grown }) => {
    grow(String(grown))
    return 'grew'
  })
}

export function registerGrown(server: Server, tool: string): void {
  server.tool(tool, {}, () => 'grown')
}

function registerAsking(server: Server, name: string): void {
  const form = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }
  server.tool('form', {}, async (_args, { elicit }) => {
    const { name } = await elicit('What is your name?', form)
    return `Hello ${String(name)}`
  })
  server.tool('page', {}, async (_args, { elicitUrl }) => {
    await elicitUrl(PAGE, PAGE_MESSAGE)
    return 'visited'
  })
  const ask = (text: string) => ({
    messages: [{ role: 'user' as const, content: { type: 'text', text } }],
    maxTokens: 9,
  })
  const toText = ({ content }: { readonly content: unknown }) => (content as { readonly text?: string }).text
  server.tool('sample', {}, async (_args, { sample }) => `${toText(await sample(ask('one')))}`)
  server.tool('roots', {}, async (_args, { roots }) => (await roots()).map(({ uri }) => uri).join())
  server.tool('rounds', {}, async (_args, { sample, roots }) => {
    const first = toText(await sample(ask('first'), { key: 'first' }))
    const [second, where] = await Promise.all([sample(ask('second'), { key: 'second' }), roots({ key: 'where' })])
    return [first, toText(second), where[0]?.uri].join()
  })
  server.tool('steps', {}, async (_args, { sample, progress }) => {
    progress(1, 2)
    const said = toText(await sample(ask('on the way')))
    progress(2, 2)
    return `${said}`
  })
  const sent = new Set<string>()
  server.tool('account', { input: toInput('key') }, ({ key }) => {
    const elicitationId = `page-${String(key)}`
    if (sent.has(elicitationId)) return 'connected'
    sent.add(elicitationId)
    throw new UrlElicitationRequired([{ url: PAGE, message: PAGE_MESSAGE, elicitationId }])
  })
  server.tool('visit', { input: toInput('key') }, ({ key }) => {
    server.elicitationComplete(`page-${String(key)}`)
    return 'visited'
  })
  server.prompt('asking', {}, async (_values, { sample }) => `${toText(await sample(ask('for a prompt')))}`)
  server.resource(toAsking(name), { name: 'asking' }, async (_uri, { sample }) => {
    return `${toText(await sample(ask('for a text')))}`
  })
}

/** The resource whose reading asks. */
export function toAsking(name: string): string {
  return `matrix://${name}/asking`
}

/** The resource that may be watched. */
export function toWatched(name: string): string {
  return `matrix://${name}/watched`
}

export function toTemplate(name: string): string {
  return `matrix://${name}/item/{id}`
}

/** Where a user is sent; what is in it is for the user alone. */
export const PAGE = 'https://accounts.example/connect?to=matrix'
export const PAGE_MESSAGE = 'Please connect your account'

function toInput(name: string) {
  return { type: 'object', properties: { [name]: { type: 'string' } }, required: [name] }
}
