import { resolve } from 'node:path'
import { openStore, SILENT, type Store } from '@crosspoint/gateway'
import { locateConfig, readConfig } from '../configuration.ts'
import type { ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { CommonOptions } from '../options.ts'
import { visible } from '../print/visible.ts'

/** Brings the store of the configuration to the shape that this version expects. */
export function storeMigrate(io: Io, options: CommonOptions): Promise<ExitKind> {
  return withStore(io, options, true, async (store, kind) => {
    await store.migrate()
    tell(io, 'up to date', `the ${kind} store`, { migrated: true, kind })
  })
}

/** Writes all of it to a file. */
export function storeBackup(io: Io, file: string, options: CommonOptions): Promise<ExitKind> {
  return withStore(io, options, false, async (store, kind) => {
    await store.backup(resolve(io.cwd, file))
    tell(io, 'written', `${visible(file)}, all of the ${kind} store`, { file, kind })
  })
}

/** Fills an empty one from a file. PostgreSQL is set up for it. */
export function storeRestore(io: Io, file: string, options: CommonOptions): Promise<ExitKind> {
  return withStore(io, options, true, async (store, kind) => {
    await store.migrate()
    await store.restore(resolve(io.cwd, file))
    tell(io, 'restored', `the ${kind} store from ${visible(file)}`, { file, kind })
  })
}

async function withStore(
  io: Io,
  options: CommonOptions,
  isUnmigrated: boolean,
  action: (store: Store, kind: string) => Promise<void>,
): Promise<ExitKind> {
  const { config } = readConfig(io, await locateConfig(io, options))
  const store = await openStore(config.store, SILENT, { isUnmigrated, env: io.env })
  try {
    await action(store, config.store.kind)
  } finally {
    await store.close()
  }
  return 'ok'
}

function tell({ terminal }: Io, done: string, what: string, value: object): void {
  if (terminal.json) terminal.value(value)
  else terminal.say(`${terminal.err.green(done)}: ${what}`)
}
