import type { ReadStream } from 'node:tty'
import { CliError } from './exit.ts'
import type { Io } from './io.ts'

/**
 * A password: typed twice and not shown where somebody is at the terminal, else the first line of standard input. It is never
 * an argument, which other programs of the machine could see.
 */
export async function readPassword({ stdin, terminal }: Io): Promise<string> {
  if (!isTerminal(stdin)) return readLine(stdin)
  terminal.say('Password (it is not shown):')
  const first = await typed(stdin)
  terminal.say('Once more:')
  if ((await typed(stdin)) === first) return first
  throw new CliError('usage', 'The two are not the same')
}

async function readLine(stdin: Io['stdin']): Promise<string> {
  let text = ''
  for await (const chunk of stdin) {
    text += String(chunk)
    if (text.length > MAX || text.includes('\n')) break
  }
  return (text.split(/\r?\n/, 1)[0] ?? '').slice(0, MAX)
}

function typed(stdin: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const end = (settle: () => void) => {
      stdin.off('data', hear)
      stdin.setRawMode(false)
      stdin.pause()
      settle()
    }
    const hear = (chunk: Buffer | string) => {
      for (const letter of String(chunk)) {
        if (letter === '\r' || letter === '\n') return end(() => resolve(text))
        if (letter === '\u0003' || letter === '\u0004')
          return end(() => reject(new CliError('usage', 'Nothing was done')))
        if (letter === '\u007f' || letter === '\b') text = text.slice(0, -1)
        else if (letter >= ' ' && text.length < MAX) text += letter
      }
    }
    stdin.setRawMode(true)
    stdin.on('data', hear)
    stdin.resume()
  })
}

function isTerminal(stdin: Io['stdin']): stdin is ReadStream {
  return 'isTTY' in stdin && stdin.isTTY === true
}

const MAX = 1_024
