import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { CliError } from '../exit.ts'
import type { ReadSource } from '../grammar/arguments.ts'
import type { Io } from '../io.ts'

/** Most bytes of a file or of standard input that are read as arguments: what a server would take at most anyway. */
const MAX_SOURCE_BYTES = 64 * 1024 * 1024

/** Reads `@file` and `-`. Standard input can be read once. */
export function createSourceReader(io: Io): ReadSource {
  let taken = false
  return (source) => {
    if (source !== '-') return read(createReadStream(resolve(io.cwd, source)), source)
    if (taken) throw new CliError('usage', 'Cannot read standard input twice')
    taken = true
    return read(io.stdin, 'standard input')
  }
}

async function read(stream: AsyncIterable<Uint8Array>, title: string): Promise<string> {
  return text(bounded(stream, title))
}

async function* bounded(stream: AsyncIterable<Uint8Array>, title: string): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > MAX_SOURCE_BYTES) {
      throw new CliError('usage', `Cannot read ${title}: it is longer than ${MAX_SOURCE_BYTES >> 20} MiB`)
    }
    yield chunk
  }
}
