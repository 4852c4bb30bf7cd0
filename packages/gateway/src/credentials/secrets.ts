import type { GatewayConfig } from '../config/model.ts'
import { secretsOf, withSecrets } from '../config/secret-marks.ts'
import { CredentialError } from './credential-error.ts'
import { type Kept, readKept } from './kept.ts'

export interface SecretsNeeds {
  readonly config: () => Pick<GatewayConfig, 'secrets'>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absent: there is no vault. */
  readonly kept: Kept | undefined
  /** @throws where it cannot be read, or others may read it */
  readonly readFile: (path: string) => Promise<string>
}

/** Looks up what secrets stand for, each time anew: what is found is kept by nobody but who asked. */
export class Secrets {
  readonly #needs: SecretsNeeds

  constructor(needs: SecretsNeeds) {
    this.#needs = needs
  }

  /**
   * The texts of an object with what their marks stand for.
   * @throws {CredentialError} for one that cannot be had
   */
  async fill<T extends object>(texts: T): Promise<T> {
    const names = [...new Set(secretsOf(texts))]
    if (names.length === 0) return texts
    const found = new Map(await Promise.all(names.map(async (name) => [name, await this.valueOf(name)] as const)))
    const filled = Object.entries(texts).map(([key, value]) => [
      key,
      typeof value === 'string' ? withSecrets(value, (name) => found.get(name) ?? '') : value,
    ])
    return Object.fromEntries(filled) as T // the same keys, texts for texts
  }

  /** Whether it may become another one while a gateway runs. */
  mayChange(name: string): boolean {
    return this.#needs.config().secrets.get(name)?.kind !== 'env'
  }

  async valueOf(name: string): Promise<string> {
    const { config, env, kept, readFile } = this.#needs
    const secret = config().secrets.get(name)
    switch (secret?.kind) {
      case undefined:
        throw new CredentialError('secret', `No secret is named "${name}": add it under "secrets"`)
      case 'env': {
        const value = Object.hasOwn(env, secret.variable) ? env[secret.variable] : undefined
        if (value !== undefined && value !== '') return value
        throw new CredentialError('secret', `The secret "${name}" is not there: set ${secret.variable}`)
      }
      case 'file':
        return withoutLineBreak(await readFile(secret.path))
      case 'vault': {
        const found =
          kept === undefined
            ? undefined
            : await readKept(kept, { kind: 'secret', tenant: '', principal: '', name: secret.name })
        if (found !== undefined) return found.text
        throw new CredentialError('secret', `The secret "${name}" is not there: crosspoint secrets set ${secret.name}`)
      }
    }
  }
}

/** The one at the end, which editors put there. */
function withoutLineBreak(text: string): string {
  return text.replace(/\r?\n$/, '')
}
