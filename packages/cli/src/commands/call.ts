import type { JsonObject, Result, Tool } from '@crosspoint/mcp'
import { CliError, type ExitKind } from '../exit.ts'
import { toCliError } from '../faults.ts'
import { readArguments } from '../grammar/arguments.ts'
import { parseAddressed } from '../grammar/target.ts'
import type { Io } from '../io.ts'
import type { Request } from '../options.ts'
import { asSaid } from '../print/as-said.ts'
import { describeToolResult } from '../print/contents.ts'
import { hintForTypes, notFound } from '../targets/missing.ts'
import { withPeer } from '../targets/open.ts'
import { ask, listAll, type Peer } from '../targets/peer.ts'
import { createSourceReader } from '../targets/source.ts'

/** Calls a tool. The result is data whatever it says; one that reports an error ends with exit code 5. */
export async function call(io: Io, { words, child, options }: Request): Promise<ExitKind> {
  const { target, name, rest } = parseAddressed(words, child, 'tool')
  const args = await readArguments(rest, createSourceReader(io))
  return withPeer(io, target, options, async (peer) => {
    const result = await callOrExplain(io, peer, name, args)
    if (io.terminal.json) io.terminal.value(result)
    else io.terminal.data(asSaid(`the result of "${name}"`, () => describeToolResult(result)))
    if (result.isError !== true) return 'ok'
    throw new CliError('tool', `The tool "${name}" reported an error`, { hint: await hintFor(io, peer, name, args) })
  })
}

async function callOrExplain(io: Io, peer: Peer, name: string, args: JsonObject): Promise<Result> {
  try {
    return await ask(io, peer, 'tools/call', { name, arguments: args })
  } catch (error) {
    const fault = toCliError(error, `Cannot call "${name}"`)
    if (fault.kind !== 'refused' || io.stopping.signal.aborted) throw fault
    const tools = await listAll<Tool>(io, peer, 'tools/list').catch(() => undefined) // the first error is the one to tell
    if (tools === undefined) throw fault
    const tool = tools.find((candidate) => candidate.name === name)
    if (tool === undefined) {
      const names = tools.map((candidate) => candidate.name)
      throw notFound('tool', name, peer, names)
    }
    const hint = fault.code === 'caller.missing_capability' ? NO_ANSWERS : hintForTypes(tool, args)
    throw new CliError(fault.kind, fault.message, { code: fault.code, cause: error, hint })
  }
}

const NO_ANSWERS = 'This command answers no questions of servers: call the tool from a client that does'

/** Some servers answer an unknown name, or an argument of the wrong type, with a result that is an error. */
async function hintFor(io: Io, peer: Peer, name: string, args: JsonObject): Promise<string | undefined> {
  const tools = await listAll<Tool>(io, peer, 'tools/list').catch(() => undefined) // a hint is not worth another error
  if (tools === undefined) return undefined
  const tool = tools.find((candidate) => candidate.name === name)
  if (tool !== undefined) return hintForTypes(tool, args)
  const names = tools.map((candidate) => candidate.name)
  return notFound('tool', name, peer, names).hint
}
