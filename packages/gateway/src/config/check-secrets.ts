import { allUrls } from './build-replicas.ts'
import { isLoopbackHost } from './hosts.ts'
import { folderOf, joinPath } from './join-path.ts'
import { quoted } from './quoted.ts'
import type { WrittenConfig, WrittenServer } from './schema.ts'
import { secretsIn } from './secret-marks.ts'
import type { Tree } from './tree.ts'

type Complain = (path: readonly PropertyKey[], message: string, hint?: string) => void

/** Whether secrets are where they may be, each of them is known, and the key of the vault is not beside it. */
export function checkSecrets(config: WrittenConfig, root: Tree, file: string, error: Complain): void {
  for (const [name, secret] of Object.entries(config.secrets)) {
    const places = [secret.env, secret.file, secret.vault].filter((place) => place !== undefined)
    if (places.length !== 1) error(['secrets', name], 'A secret is in one of "env", "file" and "vault"')
  }
  checkVault(config, file, error)
  const known = new Set(Object.keys(config.secrets))
  walk(root, [], (path, text) => {
    for (const name of secretsIn(text)) {
      if (!mayHoldSecrets(path)) {
        error(path, 'A secret cannot stand here', 'secrets may stand in "headers", "env" and "auth" of a server')
      } else if (!known.has(name)) {
        error(path, `No secret is named ${quoted(name)}`, 'add it under "secrets"')
      }
    }
  })
}

function checkVault({ vault, store, servers, secrets }: WrittenConfig, file: string, error: Complain): void {
  const { key, keyFile, previousKeyFiles } = vault
  if (key !== undefined && keyFile !== undefined) {
    error(['vault', 'keyFile'], 'The vault has either "key" or "keyFile", not both', 'remove one of them')
  }
  const folder = folderOf(file)
  const files = [['keyFile', keyFile] as const, ...previousKeyFiles.map((path) => ['previousKeyFiles', path] as const)]
  for (const [at, path] of files) {
    if (path === undefined || store.path === undefined) continue
    if (folderOf(joinPath(folder, path)) === folderOf(joinPath(folder, store.path))) {
      error(['vault', at], 'The key lies beside the store it opens', 'keep it elsewhere')
    }
  }
  const isUsed =
    Object.values(servers).some(({ auth }) => auth?.kind === 'oauth') ||
    Object.values(secrets).some((secret) => secret.vault !== undefined)
  if (isUsed && store.kind === 'postgres' && key === undefined && keyFile === undefined) {
    error(
      ['vault'],
      'Gateways that share a store need the same key of the vault',
      'write "vault.key" or "vault.keyFile"',
    )
  }
}

/** Whether a server is signed in to in a way that can be. */
export function checkServerAuth(server: WrittenServer, error: Complain): void {
  const { auth, headers = {} } = server
  if (auth === undefined) return
  const urls = allUrls(server)
  if (urls.length === 0 || urls.some((url) => /^unix:/i.test(url))) {
    error(['auth'], 'Only a server with an http(s) "url" has this', 'use "headers" or "env"')
    return
  }
  if (Object.keys(headers).some((name) => /^(?:authorization|dpop)$/i.test(name))) {
    error(['headers'], '"Authorization" is sent by "auth" already', 'remove one of them')
  }
  for (const key of STRANGERS[auth.kind]) {
    if (auth[key] !== undefined) error(['auth', key], `A sign-in of kind "${auth.kind}" has no use for this`)
  }
  // What somebody gets is good for the one address that its issuer was told of.
  if (auth.kind === 'oauth' && urls.length > 1) {
    error(['urls'], 'People sign in to one address', 'write the one "url" that stands for all of them')
  }
  checkUrls(auth, urls, error)
  const isProven = auth.clientSecret !== undefined || auth.privateKey !== undefined
  if (auth.clientSecret !== undefined && auth.privateKey !== undefined) {
    error(['auth', 'privateKey'], 'A client has either a secret or a private key', 'remove one of them')
  }
  if (auth.clientId === undefined && (auth.kind !== 'oauth' || isProven)) {
    error(['auth'], 'The client has no "clientId"', 'register one with the issuer and write it here')
  } else if (auth.kind !== 'oauth' && !isProven) {
    error(['auth'], 'The client has no "clientSecret" and no "privateKey"', 'write one as "${secret:name}"')
  }
  if (auth.kind === 'exchange' && auth.issuer === undefined) {
    error(['auth'], 'Who exchanges tokens has to be said', 'write "issuer"')
  }
  if (auth.kind !== 'client-credentials' && server.sessions === 'shared') {
    error(['sessions'], 'Callers who sign in one by one cannot share a session', 'remove this')
  }
}

function checkUrls(auth: NonNullable<WrittenServer['auth']>, servers: readonly string[], error: Complain): void {
  if (!servers.every(isSafe))
    error([servers.length > 1 ? 'urls' : 'url'], 'Tokens would travel over an open line', 'use https://')
  for (const key of ['issuer', 'tokenEndpoint'] as const) {
    const url = auth[key]
    if (url !== undefined && !isSafe(url))
      error(['auth', key], 'Secrets would travel over an open line', 'use https://')
  }
}

function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return true // told elsewhere
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || isLoopbackHost(hostname)
}

const STRANGERS = {
  oauth: ['tokenEndpoint', 'audience', 'resource'],
  'client-credentials': ['tokenEndpoint', 'audience', 'resource', 'clientMetadataUrl', 'discovery'],
  exchange: ['clientMetadataUrl'],
} as const

function mayHoldSecrets([section, , key]: readonly PropertyKey[]): boolean {
  return section === 'servers' && (key === 'headers' || key === 'env' || key === 'auth')
}

function walk(tree: Tree, path: readonly PropertyKey[], visit: (path: readonly PropertyKey[], text: string) => void) {
  if (tree.kind === 'scalar') {
    if (typeof tree.value === 'string') visit(path, tree.value)
  } else if (tree.kind === 'list') {
    for (const [index, item] of tree.items.entries()) walk(item, [...path, index], visit)
  } else for (const [key, { value }] of tree.entries) walk(value, [...path, key], visit)
}
