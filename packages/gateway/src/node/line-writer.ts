import { write as startWrite, writeSync } from 'node:fs'

/** Takes lines without waiting and never throws: what cannot be written is lost. */
export interface LineWriter {
  /** @param line with its line feed */
  write(line: string): void
  /** Writes at once what waits. */
  flush(): void
}

/**
 * Lines to a file descriptor, several at a time: a write each would cost more than the line. It is touched only while
 * lines wait, and they do for {@link WAIT_MS} at most. What waits when the process ends is written then.
 */
export function createLineWriter(fd: number): LineWriter {
  let waiting = ''
  /** Taken out of what waits, and not yet written. */
  let chunk: Buffer | undefined
  let isWriting = false
  let timer: NodeJS.Timeout | undefined

  const later = () => {
    timer ??= setTimeout(start, WAIT_MS).unref()
  }
  const stopTimer = () => {
    clearTimeout(timer)
    timer = undefined
  }
  const start = () => {
    stopTimer()
    if (isWriting) return
    chunk ??= take()
    isWriting = true
    startWrite(fd, chunk, finish)
  }
  const take = () => {
    const bytes = Buffer.from(waiting)
    waiting = ''
    return bytes
  }
  const finish = (error: NodeJS.ErrnoException | null, written: number) => {
    isWriting = false
    if (error !== null && isBusy(error)) {
      later()
      return
    }
    // A full disk, or a reader that is gone, is no reason to stop the work that is told of: those lines are lost.
    chunk = error === null ? rest(chunk, written) : undefined
    if (chunk !== undefined || waiting.length >= CHUNK_LENGTH) start()
    else if (waiting !== '') later()
  }
  const flush = () => {
    stopTimer()
    if (!isWriting && chunk !== undefined) {
      writeAtOnce(fd, chunk)
      chunk = undefined
    }
    writeAtOnce(fd, take())
  }
  process.on('exit', flush)
  return {
    write(line) {
      if (waiting.length + (chunk?.length ?? 0) + line.length > MAX_WAITING) return
      waiting += line
      if (waiting.length < CHUNK_LENGTH) later()
      else if (!isWriting) start()
    },
    flush,
  }
}

function writeAtOnce(fd: number, bytes: Buffer): void {
  let left: Buffer | undefined = rest(bytes, 0)
  let refusals = 0
  while (left !== undefined) {
    try {
      left = rest(left, writeSync(fd, left))
      refusals = 0
    } catch (error) {
      // Nobody is left to tell of what cannot be written, and a reader that has stopped must not keep the process.
      if (!isBusy(error) || ++refusals > MAX_REFUSALS) return
      Atomics.wait(NEVER_WOKEN, 0, 0, PAUSE_MS)
    }
  }
}

function rest(bytes: Buffer | undefined, written: number): Buffer | undefined {
  return bytes === undefined || written >= bytes.length ? undefined : bytes.subarray(written)
}

/** Whether a pipe is full for the moment. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EBUSY')
}

const CHUNK_LENGTH = 8_192
/** Characters that wait while nobody reads; what comes then is lost. */
const MAX_WAITING = 4 * 1024 * 1024
/** How late a line may be. */
const WAIT_MS = 100
/** How long a full pipe is waited for at the end: a second, counted from the last that it took. */
const PAUSE_MS = 10
const MAX_REFUSALS = 100
const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4))
