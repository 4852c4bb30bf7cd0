import { type ExplainedFeature, type ExplainedTool, explainPairing, explainTools, RELAYED } from '@crosspoint/gateway'
import { type ClientCapabilities, NEWEST } from '@crosspoint/mcp'
import { locateConfig, readConfig } from '../configuration.ts'
import { CliError, type ExitKind } from '../exit.ts'
import { parseTarget, type Target } from '../grammar/target.ts'
import type { Io } from '../io.ts'
import type { ExplainOptions, Request } from '../options.ts'
import { toTable } from '../print/table.ts'
import { checkOptions, openDirect, toRevision } from '../targets/open.ts'
import { listAll } from '../targets/peer.ts'

/** Says what clients of a revision see of a server through the gateway, and why something is missing. */
export async function explain(io: Io, { words, child, options }: Request<ExplainOptions>): Promise<ExitKind> {
  const target = parseTarget(words, child)
  if (target.kind === 'merged') {
    throw new CliError('usage', 'No server is named', { hint: 'See which there are: crosspoint ls servers' })
  }
  checkOptions(target, options)
  const client = toRevision(options.clientRevision ?? NEWEST.name)
  const about = await toAbout(io, target, options)
  const plain = await look(io, target, options, {})
  const all = await look(io, target, options, RELAYED)
  const names = new Set(plain.tools.map((tool) => (tool as { readonly name?: unknown }).name as string)) // an object, at least
  const server = toRevision(all.revision)
  const tools = explainTools({ tools: all.tools, plain: names, ...about }, client)
  const features = explainPairing(client, server, all.capabilities)
  const { title } = all
  if (io.terminal.json) {
    io.terminal.value({
      server: toPlainName(target),
      serverRevision: server.name,
      clientRevision: client.name,
      tools,
      features,
    })
  } else print(io, `${title} speaks ${server.name}; clients of ${client.name} see it so`, tools, features)
  return 'ok'
}

/** For programs: as it was named, without the words around it that people read. */
function toPlainName(target: Exclude<Target, { kind: 'merged' }>): string {
  switch (target.kind) {
    case 'server':
      return target.name
    case 'url':
      return target.url
    case 'command':
      return target.command
  }
}

/** What a server shows to a client of these abilities. */
async function look(
  io: Io,
  target: Exclude<Target, { kind: 'merged' }>,
  options: ExplainOptions,
  declared: ClientCapabilities,
) {
  const { title, connection } = await openDirect(io, target, options, declared)
  try {
    const { handle, verdict, capabilities } = connection
    const peer = { title, handle, timeoutMs: options.timeout, close: () => connection.close() }
    return { title, revision: verdict.revision, capabilities, tools: await listAll<object>(io, peer, 'tools/list') }
  } finally {
    await connection.close()
  }
}

/** What the configuration says of a server that is in it; another is taken as it would stand there by itself. */
async function toAbout(io: Io, target: Exclude<Target, { kind: 'merged' }>, options: ExplainOptions) {
  const name = target.kind === 'server' ? target.name : 'server'
  if (target.kind !== 'server') return { server: name, prefix: '', selection: {} }
  const { config } = readConfig(io, await locateConfig(io, options))
  const server = config.servers.get(name)
  return { server: name, prefix: server?.prefix ?? name, selection: server?.tools ?? {} }
}

function print(
  { terminal }: Io,
  title: string,
  tools: readonly ExplainedTool[],
  features: readonly ExplainedFeature[],
): void {
  const { bold, dim, yellow } = terminal.out
  const shown = tools.filter(({ name }) => name !== undefined).length
  const toolRows = tools.map(({ native, name, notes }) => [
    { text: `  ${name ?? native}`, paint: name === undefined ? yellow : bold },
    { text: notes.length === 0 ? 'as it is' : notes.join('; '), paint: name === undefined ? yellow : dim },
  ])
  const featureRows = features.map(({ feature, fares, how }) => [
    { text: `  ${feature}`, paint: bold },
    { text: fares, paint: fares === 'no' ? yellow : dim },
    { text: how, paint: dim },
  ])
  const parts = [
    title,
    '',
    `Tools: ${shown} of ${tools.length}`,
    ...(toolRows.length === 0 ? [] : [toTable(toolRows, terminal.width)]),
    '',
    'Between them',
    toTable(featureRows, terminal.width),
  ]
  terminal.data(parts.join('\n'))
}
