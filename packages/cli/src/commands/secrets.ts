import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { withCredentials } from '../credentials.ts'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { CommonOptions } from '../options.ts'
import { toTable } from '../print/table.ts'
import { visible } from '../print/visible.ts'

/** Keeps a secret, which is read from the terminal without showing it, or from standard input. */
export async function secretsSet(io: Io, name: string, options: CommonOptions): Promise<ExitKind> {
  return withCredentials(io, options, async (book) => {
    const value = await readSecret(io, name)
    if (value === '') throw new CliError('usage', 'A secret is not empty')
    await book.setSecret(name, value)
    if (io.terminal.json) io.terminal.value({ name })
    io.terminal.say(`"${visible(name)}" is in the vault; write { vault: ${visible(name)} } under "secrets"`)
    return 'ok'
  })
}

export async function secretsList(io: Io, options: CommonOptions): Promise<ExitKind> {
  return withCredentials(io, options, async (book) => {
    const all = await book.secrets()
    const { terminal } = io
    if (terminal.json) {
      const secrets = all.map(({ name, keyId, updatedAt }) => ({ name, keyId, updatedAt: toTime(updatedAt) }))
      terminal.value({ secrets })
    } else if (all.length === 0) terminal.say('There are no secrets: crosspoint secrets set <name> keeps one')
    else {
      const { bold, dim } = terminal.out
      const heads = ['name', 'key', 'changed'].map((head) => ({ text: head, paint: dim }))
      const rows = all.map(({ name, keyId, updatedAt }) => [{ text: name, paint: bold }, keyId, toTime(updatedAt)])
      terminal.data(toTable([heads, ...rows], terminal.width))
    }
    return 'ok'
  })
}

export async function secretsRemove(io: Io, name: string, options: CommonOptions): Promise<ExitKind> {
  return withCredentials(io, options, async (book) => {
    if (!(await book.removeSecret(name))) {
      throw new CliError('usage', `No secret is named "${name}"`, {
        hint: 'See which there are: crosspoint secrets list',
      })
    }
    if (io.terminal.json) io.terminal.value({ name })
    io.terminal.say(`"${visible(name)}" is gone`)
    return 'ok'
  })
}

/** Closes with the key of today what was closed with one of before. */
export async function secretsRotateKey(io: Io, options: CommonOptions): Promise<ExitKind> {
  return withCredentials(io, options, async (book) => {
    const { changed, all } = await book.rotateKey()
    if (io.terminal.json) io.terminal.value({ changed, all })
    const hint =
      changed === 0 && all > 0 ? '; write the new key as "vault.key" and the old one under "vault.previousKeys"' : ''
    io.terminal.say(`${changed} of ${all} were closed anew with the key that is in force${hint}`)
    return 'ok'
  })
}

async function readSecret(io: Io, name: string): Promise<string> {
  const { stdin } = io
  if (!isScreen(stdin)) return (await text(bounded(stdin))).replace(/\r?\n$/, '')
  io.terminal.tell(`Value of "${visible(name)}", which is not shown:`)
  return readHidden(stdin, io.stopping.signal)
}

type Screen = Readable & { isTTY: true; setRawMode(isRaw: boolean): unknown }

function isScreen(stdin: Readable): stdin is Screen {
  return 'isTTY' in stdin && stdin.isTTY === true && 'setRawMode' in stdin
}

/** Nothing is shown of what is typed, as the terminal shows nothing by itself in this mode. */
async function readHidden(screen: Screen, stopped: AbortSignal): Promise<string> {
  let typed = ''
  screen.setRawMode(true)
  try {
    for await (const piece of screen.setEncoding('utf8') as AsyncIterable<string>) {
      for (const letter of piece) {
        if (letter === '\r' || letter === '\n') return typed
        if (letter === '\x03' || letter === '\x04' || stopped.aborted)
          throw new CliError('interrupted', 'Nothing was kept')
        typed = letter === '\x7f' ? typed.slice(0, -1) : typed + letter
        if (typed.length > MAX_LETTERS) throw tooLong()
      }
    }
    return typed
  } finally {
    screen.setRawMode(false)
  }
}

async function* bounded(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > MAX_LETTERS) throw tooLong()
    yield chunk
  }
}

function tooLong(): CliError {
  return new CliError('usage', `A secret is no longer than ${MAX_LETTERS} bytes`)
}

function toTime(at: number): string {
  return new Date(at).toISOString()
}

const MAX_LETTERS = 64 * 1024
