import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'

/**
 * No child outlives us, however we end. A tiny watchdog, a constant shell script started with the first child,
 * reads the process groups we own from its stdin; when that ends, because we are gone, it ends the groups. It
 * lives in a session of its own and ignores the signals a terminal sends to everybody.
 */
export function guardGroup(pid: number): void {
  groups.add(pid)
  if (groups.size === 1) process.on('exit', endAllNow)
  if (ON_WINDOWS) return
  if (watchdog === undefined) watchdog = startWatchdog()
  else tellWatchdog(`+${pid}`)
}

/** The group is gone; its number may belong to somebody else from now on. */
export function forgetGroup(pid: number): void {
  if (!groups.delete(pid)) return
  tellWatchdog(`-${pid}`)
  if (groups.size > 0) return
  process.off('exit', endAllNow)
  // Nothing is left to watch over: the end of its input ends the watchdog too.
  watchdog?.stdin?.end()
  watchdog = undefined
}

/** Signals every process of the group; one that is gone already is fine. */
export function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (ON_WINDOWS) {
    // Windows has no groups to signal and no TERM to send: the tree is ended, by force at the second time.
    execFile('taskkill', ['/PID', String(pid), '/T', ...(signal === 'SIGKILL' ? ['/F'] : [])], () => {})
    return
  }
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

const groups = new Set<number>()
let watchdog: ChildProcess | undefined

function startWatchdog(): ChildProcess {
  // Told of the groups as it starts: between its start and a first line we could be killed.
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'crosspoint-watchdog', ...[...groups].map(String)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
  })
  const replace = () => {
    if (watchdog !== child) return
    watchdog = undefined
    if (groups.size === 0) return
    watchdog = startWatchdog()
  }
  child.on('exit', replace)
  // Without a shell there is no watchdog; what is left is ending the groups when we exit in order.
  child.on('error', () => {
    if (watchdog === child) watchdog = undefined
  })
  child.stdin.on('error', () => {})
  child.unref()
  unrefStream(child.stdin)
  return child
}

function tellWatchdog(line: string): void {
  const stdin = watchdog?.stdin
  if (stdin?.writable === true) stdin.write(`${line}\n`)
}

/** A pipe to a child is a socket underneath, which the types do not say. */
function unrefStream(stream: object): void {
  if ('unref' in stream && typeof stream.unref === 'function') stream.unref()
}

function endAllNow(): void {
  for (const pid of groups) {
    if (ON_WINDOWS) {
      try {
        execFileSync('taskkill', ['/PID', String(pid), '/T', '/F'], { stdio: 'ignore' })
      } catch {
        // Gone already; there is nobody left to tell.
      }
    } else signalGroup(pid, watchdog === undefined ? 'SIGKILL' : 'SIGTERM')
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ESRCH' || code === 'EPERM'
}

const ON_WINDOWS = process.platform === 'win32'

/** POSIX sh. Reads `+pid` and `-pid`; at the end of its input it TERMs what is listed, waits, and KILLs the rest. */
const SCRIPT = `
trap '' TERM INT HUP QUIT
list=" $* "
while IFS= read -r line; do
  pid=\${line#?}
  case $line in
    +*) list="$list$pid " ;;
    -*) case $list in *" $pid "*) list="\${list%% $pid *} \${list#* $pid }" ;; esac ;;
  esac
done
case $list in *[0-9]*) ;; *) exit 0 ;; esac
for pid in $list; do kill -s TERM -- "-$pid"; done
for round in 1 2; do
  sleep 1
  left=' '
  for pid in $list; do kill -s 0 -- "-$pid" && left="$left$pid "; done
  list=$left
  [ "$list" = ' ' ] && exit 0
done
for pid in $list; do kill -s KILL -- "-$pid"; done
`
