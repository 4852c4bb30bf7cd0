import { dirname, resolve } from 'node:path'
import type { ConfigurationFile } from '@crosspoint/gateway'
import {
  type ConfigDiff,
  ConfigError,
  type ConfigFlag,
  type ConfigIssue,
  explainConfig,
  type LoadedConfig,
  loadConfig,
  parseConfig,
} from '@crosspoint/gateway/config'

export interface ServedFileOptions {
  readonly path: string
  readonly flags: readonly ConfigFlag[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** In force now. */
  readonly current: () => LoadedConfig
  /** Goes over to another. */
  readonly apply: (loaded: LoadedConfig) => Promise<ConfigDiff>
}

/** The file that a gateway runs on, for its admin API. */
export function createServedFile({ path, flags, env, current, apply }: ServedFileOptions): ConfigurationFile {
  return {
    path,
    explain: () => explainConfig(current()),
    reload: async () => apply(loadConfig(path, { env, flags })),
    validate: (text, format) => {
      try {
        const options = {
          path,
          flags,
          env,
          baseDir: dirname(resolve(path)),
          ...(format === undefined ? {} : { format }),
        }
        return { errors: NONE, warnings: parseConfig(text, options).warnings }
      } catch (error) {
        if (error instanceof ConfigError) return { errors: error.issues, warnings: NONE }
        throw error
      }
    },
  }
}

const NONE: readonly ConfigIssue[] = []
