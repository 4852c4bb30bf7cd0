import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'

/** Folder of the repository, without a slash at the end. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')

/** Whether the referees are there: `npm ci --prefix interop` brings them. */
export const installed = existsSync(`${root}/interop/node_modules/@modelcontextprotocol/client`)

const suffix = process.platform === 'win32' ? '.exe' : ''

/** A Node of line 22, which the Inspector needs: the one packaged for interop, or this one where it is new enough. */
export const node22: string | undefined = [
  `${root}/interop/node_modules/node22/bin/node${suffix}`,
  Number(process.versions.node.split('.')[0]) >= 22 ? process.execPath : '',
].find((path) => path !== '' && existsSync(path))

/** In CI a referee that is missing is a failure, or nobody would notice that it stopped judging. */
export function requireInCi(): void {
  if (process.env.CI === undefined || process.env.CI === '') return
  test('the referees are installed', () => {
    if (!installed) throw new Error('Run "npm ci --prefix interop" first')
    if (node22 === undefined)
      throw new Error('The Inspector needs a Node of line 22; interop/ brings one for linux-x64')
  })
}
