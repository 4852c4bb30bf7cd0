// A thread of the embedded store: what it does with the file holds up nobody else. Started by `worker.ts`.
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { StoreError } from '../contract/store-error.ts'
import { type Database, openToRead, openToWrite } from './database.ts'
import { toStoreError } from './faults.ts'
import type { Answer, Request, ThreadOptions } from './messages.ts'
import { createOperations, type Operations } from './operations.ts'

const port = parentPort
if (port === null) throw new Error('This is the entry of a thread, not of a program')
// `worker.ts` gives exactly this.
const options = workerData as ThreadOptions

const SQLITE_BUSY = 5
const BUSY_WAIT_MS = 10
const OPENING = 'Cannot open the store'

let database: Database | undefined
let operations: Operations | undefined
/** One after the other: a transaction is a matter of the whole connection. */
let work = run(0, OPENING, open)
port.on('message', (request: Request) => {
  const doing = request.operation === 'migrate' ? OPENING : 'Cannot use the store'
  work = work.then(() => run(request.id, doing, () => perform(request)))
})

async function run(id: number, doing: string, action: () => Promise<unknown>): Promise<void> {
  try {
    tell({ id, result: await action() })
  } catch (cause) {
    const { code, message } = toStoreError(cause, doing)
    tell({ id, error: { code, message } })
  }
}

async function open(): Promise<void> {
  database = options.writes ? await openPatiently() : openToRead(options)
  operations = createOperations(database)
}

/** Where several processes make a file at once, SQLite refuses some of them at once instead of having them wait. */
async function openPatiently(): Promise<Database> {
  for (const until = Date.now() + options.timeoutMs; ; ) {
    try {
      return openToWrite(options)
    } catch (error) {
      const isBusy = error instanceof Error && 'rawCode' in error && Number(error.rawCode) % 256 === SQLITE_BUSY
      if (!isBusy || Date.now() > until) throw error
      await sleep(BUSY_WAIT_MS)
    }
  }
}

function perform({ operation, args }: Request): Promise<unknown> {
  if (operation === 'close') return close()
  if (operations === undefined) throw new StoreError('unavailable', 'Cannot use the store: it could not be opened')
  // Both sides of the port are typed by `Operations`: see `Worker.call`.
  const action = operations[operation] as (...args: readonly unknown[]) => Promise<unknown>
  return action(...args)
}

async function close(): Promise<void> {
  try {
    // Leaves one whole file behind where no other process uses it.
    if (options.writes) database?.pragma('wal_checkpoint(truncate)')
  } finally {
    database?.close()
  }
}

function tell(answer: Answer): void {
  port?.postMessage(answer)
}
