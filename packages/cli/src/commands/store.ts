import { resolve } from 'node:path'
import type { ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { CommonOptions } from '../options.ts'
import { visible } from '../print/visible.ts'
import { withStore } from '../store.ts'

/** Brings the store of the configuration to the shape that this version expects. */
export function storeMigrate(io: Io, options: CommonOptions): Promise<ExitKind> {
  return withStore(
    io,
    options,
    async (store, { store: { kind } }) => {
      await store.migrate()
      return tell(io, 'up to date', `the ${kind} store`, { migrated: true, kind })
    },
    { isUnmigrated: true },
  )
}

/** Writes all of it to a file. */
export function storeBackup(io: Io, file: string, options: CommonOptions): Promise<ExitKind> {
  return withStore(io, options, async (store, { store: { kind } }) => {
    await store.backup(resolve(io.cwd, file))
    return tell(io, 'written', `${visible(file)}, all of the ${kind} store`, { file, kind })
  })
}

/** Fills an empty one from a file. PostgreSQL is set up for it. */
export function storeRestore(io: Io, file: string, options: CommonOptions): Promise<ExitKind> {
  return withStore(
    io,
    options,
    async (store, { store: { kind } }) => {
      await store.migrate()
      await store.restore(resolve(io.cwd, file))
      return tell(io, 'restored', `the ${kind} store from ${visible(file)}`, { file, kind })
    },
    { isUnmigrated: true },
  )
}

function tell({ terminal }: Io, done: string, what: string, value: object): ExitKind {
  if (terminal.json) terminal.value(value)
  else terminal.say(`${terminal.err.green(done)}: ${what}`)
  return 'ok'
}
