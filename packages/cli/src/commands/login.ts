import type { Authorization, AuthorizationOptions } from '@crosspoint/auth'
import { openConnection } from '@crosspoint/mcp/client'
import { CliError, type ExitKind } from '../exit.ts'
import { toCliError } from '../faults.ts'
import { isUrl } from '../grammar/target.ts'
import type { Io } from '../io.ts'
import type { LoginOptions } from '../options.ts'
import { visible } from '../print/visible.ts'
import { CLIENT_NAME, openSignIns } from '../sign-ins.ts'

/** Signs somebody in to the server at a URL, for `ls`, `call` and the others that are given the same URL. */
export async function login(io: Io, text: string, options: LoginOptions): Promise<ExitKind> {
  const url = toServerUrl(text)
  const { kept, store } = await openSignIns(io)
  // Also where somebody is signed in: they may want to be another, or more scopes.
  await kept.forget(url)
  const scope = options.scope?.join(' ')
  const common = { store, clientName: CLIENT_NAME, ...(scope === undefined ? {} : { scope }) }
  const isDevice = options.device === true || !hasBrowser(io.env)
  const authorization = isDevice ? await withCode(io, common) : await withBrowser(io, url, common)
  try {
    const connection = await openConnection(
      { kind: 'http', url },
      { client: { name: 'crosspoint', version: io.version }, authorization, signal: io.stopping.signal },
    )
    await connection.close()
  } catch (error) {
    throw withRemedy(toCliError(error, `Cannot sign in to ${url}`), isDevice)
  }
  const signedIn = await kept.has(url)
  if (io.terminal.json) io.terminal.value({ url, signedIn })
  else if (signedIn) io.terminal.say(`Signed in to ${visible(url)}`)
  else io.terminal.say(`${visible(url)} lets you in without signing in`)
  return 'ok'
}

export async function logout(io: Io, text: string): Promise<ExitKind> {
  const url = toServerUrl(text)
  const { kept } = await openSignIns(io)
  const wasSignedIn = await kept.forget(url)
  if (io.terminal.json) io.terminal.value({ url, wasSignedIn })
  else io.terminal.say(wasSignedIn ? `Signed out of ${visible(url)}` : `Nobody was signed in to ${visible(url)}`)
  return 'ok'
}

type Common = Pick<AuthorizationOptions, 'scope' | 'store'> & { readonly clientName: string }

async function withCode(io: Io, common: Common): Promise<Authorization> {
  const { deviceCode } = await import('@crosspoint/auth/node')
  return deviceCode({
    ...common,
    signal: io.stopping.signal,
    show({ url, userCode, completeUrl, expiresInMs }) {
      const { terminal } = io
      // What has to be seen to go on.
      terminal.tell(`Open ${visible(url)} and type the code ${visible(userCode)}`)
      if (completeUrl !== undefined) terminal.say(`or open ${visible(completeUrl)}`)
      terminal.say(terminal.err.dim(`Waiting for you, up to ${Math.ceil(expiresInMs / 60_000)} min …`))
    },
  })
}

async function withBrowser(io: Io, server: string, common: Common): Promise<Authorization> {
  const { createLoopbackRedirect, createOAuth } = await import('@crosspoint/auth/node')
  const show = (url: string) => io.terminal.tell(`Sign in to ${visible(server)} at ${visible(url)}`)
  return createOAuth({ ...common, redirect: createLoopbackRedirect({ show }) })
}

/** The engine says to give a token, which is what signing in is for. */
function withRemedy(error: CliError, isDevice: boolean): CliError {
  if (error.kind !== 'auth') return error
  const { kind, message, code, cause, details } = error
  const hint = isDevice
    ? 'Where there is a browser, sign in with it'
    : 'Without a browser here: crosspoint login --device'
  return new CliError(kind, message, { hint, code, cause, details })
}

function toServerUrl(text: string): string {
  if (isUrl(text) && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text).href
  throw new CliError('usage', `"${text}" is not the URL of a server`, {
    hint: 'Servers of the configuration that have "auth" are signed in to with: crosspoint connect <server>',
  })
}

/** A browser that the person at this terminal would see. */
function hasBrowser(env: Io['env']): boolean {
  if (env.SSH_CONNECTION || env.SSH_TTY) return false
  const hasScreen = process.platform === 'darwin' || process.platform === 'win32'
  return hasScreen || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)
}
