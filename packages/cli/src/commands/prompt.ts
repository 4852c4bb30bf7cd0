import type { GetPromptResult, Prompt, Result } from '@crosspoint/mcp'
import { CliError, type ExitKind } from '../exit.ts'
import { toCliError } from '../faults.ts'
import { readTextArguments } from '../grammar/arguments.ts'
import { parseAddressed } from '../grammar/target.ts'
import type { Io } from '../io.ts'
import type { Request } from '../options.ts'
import { asSaid } from '../print/as-said.ts'
import { describePrompt } from '../print/contents.ts'
import { notFound } from '../targets/missing.ts'
import { withPeer } from '../targets/open.ts'
import { ask, listAll, type Peer } from '../targets/peer.ts'
import { createSourceReader } from '../targets/source.ts'

/** Gets a prompt, filled in. */
export async function prompt(io: Io, { words, child, options }: Request): Promise<ExitKind> {
  const { target, name, rest } = parseAddressed(words, child, 'prompt')
  const args = await readTextArguments(rest, createSourceReader(io))
  return withPeer(io, target, options, async (peer) => {
    const result = await getOrExplain(io, peer, name, args)
    if (io.terminal.json) io.terminal.value(result)
    else io.terminal.data(asSaid(`"${name}"`, () => describePrompt(messagesOf(result, name))))
    return 'ok'
  })
}

async function getOrExplain(
  io: Io,
  peer: Peer,
  name: string,
  args: { readonly [key: string]: string },
): Promise<Result> {
  try {
    return await ask(io, peer, 'prompts/get', { name, arguments: args })
  } catch (error) {
    const fault = toCliError(error, `Cannot get "${name}"`)
    if (fault.kind !== 'refused' || io.stopping.signal.aborted) throw fault
    const prompts = await listAll<Prompt>(io, peer, 'prompts/list').catch(() => undefined) // the first error is the one to tell
    if (prompts === undefined) throw fault
    const found = prompts.find((candidate) => candidate.name === name)
    if (found === undefined) {
      const names = prompts.map((candidate) => candidate.name)
      throw notFound('prompt', name, peer, names)
    }
    throw new CliError(fault.kind, fault.message, { code: fault.code, cause: error, hint: hintForMissing(found, args) })
  }
}

function hintForMissing(found: Prompt, args: { readonly [key: string]: string }): string | undefined {
  const missing = (found.arguments ?? []).filter(
    ({ name, required }) => required === true && !Object.hasOwn(args, name),
  )
  return missing.length === 0 ? undefined : `It needs ${missing.map(({ name }) => `${name}=…`).join(' ')}`
}

function messagesOf(result: Result, name: string): GetPromptResult['messages'] {
  const { messages } = result as Partial<GetPromptResult>
  if (Array.isArray(messages)) return messages
  throw new CliError('refused', `Cannot show "${name}": the answer holds no messages`)
}
