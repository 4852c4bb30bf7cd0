import type { AuthServerConfig } from '../config/model-auth-server.ts'
import { defaultSecretFile, openSecretFile } from '../node/secret-file.ts'
import { createSeal, type Seal } from './seal.ts'

/**
 * The seal of a configuration; its key is made where there is none.
 * @throws {SecretFileError} where the file of the key cannot be used
 */
export function openSeal({ key, keyFile }: AuthServerConfig, env: Readonly<Record<string, string | undefined>>): Seal {
  return createSeal(key === undefined ? openSecretFile(keyFile ?? defaultSecretFile(env)) : Buffer.from(key, 'base64'))
}
