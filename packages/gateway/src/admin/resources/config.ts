import { ConfigError } from '../../config/config-error.ts'
import type { AdminNeeds, ConfigurationFile, Handlers } from '../needs.ts'
import { Problem } from '../problem.ts'

export function createConfigHandlers({
  file,
}: AdminNeeds): Pick<Handlers, 'explainConfig' | 'reloadConfig' | 'validateConfig'> {
  const ofFile = (): ConfigurationFile => {
    if (file !== undefined) return file
    throw new Problem('conflict', 'This gateway was not started from a file')
  }
  return {
    explainConfig: () => ({ path: ofFile().path, settings: ofFile().explain() }),
    reloadConfig: async (_, { record }) => {
      try {
        const diff = await ofFile().reload()
        record('config.reloaded', undefined, { different: !diff.isEmpty })
        return diff
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        throw new Problem('config', 'The file cannot be used; what was in force still is', { errors: error.issues })
      }
    },
    validateConfig: ({ body: { text, format } }) => {
      const { errors, warnings } = ofFile().validate(text, format)
      return { valid: errors.length === 0, errors, warnings }
    },
  }
}
