import { realpathSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { type Clock, systemClock, type Timer } from '@crosspoint/mcp'
import { type FSWatcher, watch } from 'chokidar'
import { ConfigError } from '../config/config-error.ts'
import { type ConfigDiff, diffConfig } from '../config/diff.ts'
import type { LoadedConfig } from '../config/parse.ts'
import { type LoadOptions, loadConfig } from './config-file.ts'

/** What came of reading the file again. After `failed` the configuration before it stays in force. */
export type ConfigChange =
  | { readonly kind: 'loaded'; readonly loaded: LoadedConfig; readonly diff: ConfigDiff }
  | { readonly kind: 'failed'; readonly error: ConfigError }

export interface WatchOptions extends LoadOptions {
  /** In force now; the first change is compared with it. */
  readonly current: LoadedConfig
  /** The file must be quiet this long before it is read. Default 150 ms. */
  readonly quietMs?: number
  /** Read at the latest this long after the first change, quiet or not. Default 2 s. */
  readonly maxWaitMs?: number
  /** Told when watching itself fails; `reload` still works. Default: nothing. */
  readonly fault?: (error: unknown) => void
  readonly clock?: Clock
}

export interface ConfigWatch {
  /** Reads the file now and reports what came of it, changed or not: what SIGHUP asks for. */
  reload(): void
  /** Resolves once changes will be noticed. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

/** A file that is gone or empty is mostly one being written; it is read this often before we believe it. */
const SETTLE_ATTEMPTS = 4

/**
 * Watches a configuration file: edits in place, editors that put a new file in its place, links that are turned to
 * another file (as Kubernetes mounts do). Calls back only when the configuration differs or has become unusable.
 */
export function watchConfig(
  path: string,
  onChange: (change: ConfigChange) => void,
  options: WatchOptions,
): ConfigWatch {
  return new FileWatch(path, onChange, options)
}

class FileWatch implements ConfigWatch {
  readonly ready: Promise<void>
  readonly #path: string
  readonly #onChange: (change: ConfigChange) => void
  readonly #options: WatchOptions
  readonly #clock: Clock
  readonly #watcher: FSWatcher
  /** Folders that are watched: the file's own, and that of the file its links lead to. */
  #folders: ReadonlySet<string> = new Set()
  /** Names whose events concern us there. */
  #names: ReadonlySet<string> = new Set()
  #current: LoadedConfig
  #lastFailure: string | undefined
  #timer: Timer | undefined
  #firstEventAt: number | undefined
  #attempts = 0
  #isClosed = false

  constructor(path: string, onChange: (change: ConfigChange) => void, options: WatchOptions) {
    this.#path = path
    this.#onChange = onChange
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#current = options.current
    this.#aim()
    // Folders are watched, not the file: a watch on a file ends with the file that was replaced.
    this.#watcher = watch([...this.#folders], {
      ignoreInitial: true,
      depth: 0,
      followSymlinks: false,
      ignored: (place) => !this.#folders.has(place) && !this.#names.has(basename(place)),
    })
    this.#watcher.on('all', () => this.#touched())
    // What the system reports of a folder, before it is matched with files: links that are turned show only here.
    this.#watcher.on('raw', (_event, name: unknown) => {
      if (typeof name !== 'string' || this.#names.has(basename(name))) this.#touched()
    })
    this.#watcher.on('error', (error) => this.#options.fault?.(error))
    this.ready = new Promise((settled) => this.#watcher.once('ready', settled))
  }

  reload(): void {
    this.#cancel()
    this.#read(true)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#watcher.close()
  }

  /** Finds out where the file is, and where its links lead now. */
  #aim(): void {
    const files = linkedFiles(resolve(this.#path))
    this.#folders = new Set(files.map(folderOf))
    this.#names = new Set([...files.map((file) => basename(file)), VOLUME_LINK])
  }

  /** The links may lead elsewhere since the last look. */
  #follow(): void {
    const before = this.#folders
    this.#aim()
    this.#watcher.unwatch([...before].filter((folder) => !this.#folders.has(folder)))
    this.#watcher.add([...this.#folders].filter((folder) => !before.has(folder)))
  }

  #touched(): void {
    if (this.#isClosed) return
    const now = this.#clock.now()
    this.#firstEventAt ??= now
    const left = this.#firstEventAt + (this.#options.maxWaitMs ?? 2_000) - now
    this.#readIn(Math.max(0, Math.min(this.#options.quietMs ?? 150, left)))
  }

  #readIn(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.setTimer(ms, () => this.#read(false))
  }

  #cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#firstEventAt = undefined
  }

  #read(isAsked: boolean): void {
    this.#cancel()
    this.#follow()
    const change = this.#load()
    if (!isAsked && isUnsettled(change) && ++this.#attempts < SETTLE_ATTEMPTS) {
      this.#readIn(this.#options.quietMs ?? 150)
      return
    }
    this.#attempts = 0
    this.#report(change, isAsked)
  }

  #load(): ConfigChange {
    try {
      const loaded = loadConfig(this.#path, this.#options)
      return { kind: 'loaded', loaded, diff: diffConfig(this.#current.config, loaded.config) }
    } catch (error) {
      if (error instanceof ConfigError) return { kind: 'failed', error }
      // A mistake of ours must not end a gateway that runs: it is reported like one of the file.
      const issue = {
        message: 'The configuration cannot be read: internal error',
        path: '',
        file: this.#path,
        line: 0,
        column: 0,
      }
      return { kind: 'failed', error: new ConfigError([issue], { cause: error }) }
    }
  }

  #report(change: ConfigChange, isAsked: boolean): void {
    if (change.kind === 'failed') {
      const isNews = change.error.message !== this.#lastFailure
      this.#lastFailure = change.error.message
      if (isNews || isAsked) this.#onChange(change)
      return
    }
    const wasBad = this.#lastFailure !== undefined
    this.#lastFailure = undefined
    this.#current = change.loaded
    // A file that is put right again is worth telling, even when it says what it said before.
    if (!change.diff.isEmpty || wasBad || isAsked) this.#onChange(change)
  }
}

/** Empty or not there: as it looks in the middle of being written. */
function isUnsettled(change: ConfigChange): boolean {
  if (change.kind === 'failed') return change.error.issues.some((issue) => issue.line === 0)
  return change.loaded.config.servers.size === 0
}

/** A Kubernetes volume turns this link, and not that of the file. */
const VOLUME_LINK = '..data'

function folderOf(file: string): string {
  try {
    return realpathSync(dirname(file))
  } catch {
    // Gone for the moment; reading the file will say so.
    return dirname(file)
  }
}

/** The file, and the file that its links lead to. */
function linkedFiles(file: string): string[] {
  try {
    return [...new Set([file, realpathSync(file)])]
  } catch {
    // Gone for the moment: its folder is still watched for its return.
    return [file]
  }
}
