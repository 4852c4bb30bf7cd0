import { spawn } from 'node:child_process'
import { AuthError } from '../errors.ts'

/**
 * Shows a page in the browser of the person at this machine.
 * @throws {AuthError} for anything but http and https: other URLs may start programs (abuse-32)
 */
export async function openInBrowser(text: string): Promise<void> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new AuthError('policy.forbidden_url', 'Cannot open a page that is not http or https')
  }
  const [command, args] = toCommand(url.href)
  // An argument of its own and no shell: nothing in the URL is read as a command.
  const child = spawn(command, args, { stdio: 'ignore', detached: true, shell: false, windowsHide: true })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', () => reject(new AuthError('caller.declined', 'Cannot open a browser on this machine')))
  })
  child.unref()
}

function toCommand(url: string): readonly [command: string, args: readonly string[]] {
  if (process.platform === 'darwin') return ['open', [url]]
  if (process.platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', url]]
  return ['xdg-open', [url]]
}
