import type { ReadResourceResult, Resource, ResourceContents, Result } from '@crosspoint/mcp'
import { CliError, type ExitKind } from '../exit.ts'
import { toCliError } from '../faults.ts'
import { parseAddressed, RESOURCE } from '../grammar/target.ts'
import type { Io } from '../io.ts'
import type { ReadOptions, Request } from '../options.ts'
import { asSaid } from '../print/as-said.ts'
import { describeResource } from '../print/contents.ts'
import { notFound } from '../targets/missing.ts'
import { withPeer } from '../targets/open.ts'
import { ask, listAll, type Peer } from '../targets/peer.ts'

/** Reads a resource. */
export async function read(io: Io, { words, child, options }: Request<ReadOptions>): Promise<ExitKind> {
  const { target, name: uri } = parseAddressed(words, child, RESOURCE)
  if (options.raw === true && io.terminal.json) throw new CliError('usage', 'Cannot write raw bytes and JSON at once')
  return withPeer(io, target, options, async (peer) => {
    const result = await readOrExplain(io, peer, uri)
    if (io.terminal.json) io.terminal.value(result)
    else {
      const contents = contentsOf(result, uri)
      if (options.raw === true) for (const part of contents) io.terminal.bytes(asSaid(`"${uri}"`, () => toBytes(part)))
      else io.terminal.data(asSaid(`"${uri}"`, () => describeResource(contents)))
    }
    return 'ok'
  })
}

async function readOrExplain(io: Io, peer: Peer, uri: string): Promise<Result> {
  try {
    return await ask(io, peer, 'resources/read', { uri })
  } catch (error) {
    const fault = toCliError(error, `Cannot read "${uri}"`)
    if (fault.kind !== 'refused' || io.stopping.signal.aborted) throw fault
    // The first error is the one to tell. A URI that is not listed may still be one of a template: only a near one helps.
    const resources = await listAll<Resource>(io, peer, 'resources/list').catch(() => [])
    const uris = resources.map((resource) => resource.uri)
    if (uris.includes(uri)) throw fault
    const { hint } = notFound('resource', uri, peer, uris)
    throw new CliError(fault.kind, fault.message, { code: fault.code, cause: error, hint })
  }
}

function contentsOf(result: Result, uri: string): readonly ResourceContents[] {
  const { contents } = result as Partial<ReadResourceResult>
  if (Array.isArray(contents)) return contents
  throw new CliError('refused', `Cannot show "${uri}": the answer holds no contents`)
}

function toBytes(part: ResourceContents): Uint8Array {
  return typeof part.text === 'string' ? Buffer.from(part.text, 'utf8') : Buffer.from(part.blob ?? '', 'base64')
}
