import type { StdioTransportConfig } from './model.ts'

/** What every stdio server inherits: enough to find programs, a home and a language, no secret among them. */
export const INHERITED_ENV: { readonly posix: readonly string[]; readonly windows: readonly string[] } = Object.freeze({
  /** And every variable whose name begins with `LC_`. */
  posix: Object.freeze(['PATH', 'HOME', 'LOGNAME', 'USER', 'SHELL', 'TERM', 'LANG', 'TMPDIR', 'TZ']),
  windows: Object.freeze([
    'PATH',
    'PATHEXT',
    'SYSTEMROOT',
    'SYSTEMDRIVE',
    'WINDIR',
    'COMSPEC',
    'TEMP',
    'TMP',
    'HOMEDRIVE',
    'HOMEPATH',
    'USERPROFILE',
    'USERNAME',
    'APPDATA',
    'LOCALAPPDATA',
    'PROGRAMDATA',
    'PROGRAMFILES',
    'PROGRAMFILES(X86)',
    'PROCESSOR_ARCHITECTURE',
    'TZ',
  ]),
})

/**
 * The whole environment of a stdio child: the inherited defaults, what `inheritEnv` names, then `env` over both.
 * @param own the environment of this process
 * @param windows names are compared without case there, and keep the spelling they have in `own`
 */
export function childEnvironment(
  transport: Pick<StdioTransportConfig, 'env' | 'inheritEnv'>,
  own: Readonly<Record<string, string | undefined>>,
  windows = false,
): Record<string, string> {
  const fold = (name: string) => (windows ? name.toUpperCase() : name)
  const wanted = new Set(
    [...(windows ? INHERITED_ENV.windows : INHERITED_ENV.posix), ...transport.inheritEnv].map(fold),
  )
  const given = new Set(Object.keys(transport.env).map(fold))
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(own)) {
    const folded = fold(name)
    const inherited = wanted.has(folded) || (!windows && name.startsWith('LC_'))
    // A shell function exported through the environment is code, whatever its name.
    if (value === undefined || !inherited || given.has(folded) || value.startsWith('()')) continue
    environment[name] = value
  }
  return Object.assign(environment, transport.env)
}
