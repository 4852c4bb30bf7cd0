import { readFileSync } from 'node:fs'
import { isatty } from 'node:tty'
import { fileURLToPath } from 'node:url'

const argv = process.argv.slice(2)
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string } // ours
const terminals = [0, 1, 2].filter((fd) => isatty(fd))

// Whatever ends us, the watchdog over our children outlives us and stops them (docs/adr/0006-child-processes.md).
process.on('uncaughtException', crash)
process.on('unhandledRejection', crash)

for (const stream of [process.stdout, process.stderr]) stream.on('error', tolerateGoneReader)

// The one command line that is asked over and over, by scripts and prompts: answered before anything is loaded.
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) process.stdout.write(`${version}\n`)
else process.exit(await runMain())

async function runMain(): Promise<number> {
  const [{ main }, { watchSignals }] = await Promise.all([import('./main.ts'), import('./signals.ts')])
  const stopping = watchSignals(process, {
    forceExit: (code) => process.exit(code),
    hasTerminalGone: () => !terminals.every((fd) => isatty(fd)),
    now: () => performance.now(),
  })
  const code = await main(argv, {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    program: [process.execPath, fileURLToPath(new URL('../bin/crosspoint.js', import.meta.url))],
    version,
    stopping,
  })
  // Node aborts when it exits and cannot put a terminal in order that is gone; the signal itself ends us without that.
  stopping.dispose()
  if (stopping.by === 'SIGHUP') process.kill(process.pid, 'SIGHUP')
  return code
}

function crash(error: unknown): never {
  process.stderr.write(`crosspoint: a fault in Crosspoint itself\n${error instanceof Error ? error.stack : error}\n`)
  process.exit(70)
}

/** `crosspoint ls tools | head`, or a terminal that was closed: no fault of ours or theirs. */
function tolerateGoneReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
}
