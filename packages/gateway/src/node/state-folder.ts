import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where what outlives a process is kept for a user: `crosspoint` in their state folder. */
export function stateFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const home = env.HOME || homedir()
  const folder =
    process.platform === 'win32' && env.LOCALAPPDATA
      ? env.LOCALAPPDATA
      : env.XDG_STATE_HOME || join(home, '.local', 'state')
  return join(folder, 'crosspoint')
}
