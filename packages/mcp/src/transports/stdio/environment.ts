/**
 * The few variables of ours that nearly every command needs and that hold no secret. A child gets exactly the
 * environment of its target; this is for targets that do not name one.
 */
export function inheritedEnvironment(): Record<string, string> {
  const inherited: Record<string, string> = {}
  for (const name of HARMLESS) {
    const value = process.env[name]
    // Shells may export functions this way; they are code, not values.
    if (value !== undefined && !value.startsWith('()')) inherited[name] = value
  }
  return inherited
}

const HARMLESS =
  process.platform === 'win32'
    ? [
        'APPDATA',
        'ComSpec',
        'HOMEDRIVE',
        'HOMEPATH',
        'LOCALAPPDATA',
        'PATH',
        'PATHEXT',
        'PROCESSOR_ARCHITECTURE',
        'PROGRAMFILES',
        'SYSTEMDRIVE',
        'SYSTEMROOT',
        'TEMP',
        'USERNAME',
        'USERPROFILE',
      ]
    : ['HOME', 'LANG', 'LC_ALL', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'TMPDIR', 'TZ', 'USER']
