import { chmod, mkdtemp, readFile, rm, watch, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { openInBrowser } from './browser.ts'

it.skipIf(process.platform !== 'linux')('abuse-32: a URL is one argument, and no shell reads it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crosspoint-browser-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const seen = join(folder, 'seen')
  await writeFile(
    join(folder, 'xdg-open'),
    `#!/bin/sh\nprintf '%s\\n' "$#" "$@" > ${seen}.part && mv ${seen}.part ${seen}\n`,
  )
  await chmod(join(folder, 'xdg-open'), 0o755)
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`)
  onTestFinished(() => void vi.unstubAllEnvs())
  const changes = watch(folder)
  const written = (async () => {
    for await (const { filename } of changes) if (filename === 'seen') return
  })()
  await openInBrowser('https://as.example.com/?a=$(id)&b=`id`;touch${IFS}x"')
  await written
  expect(await readFile(seen, 'utf8')).toBe('1\nhttps://as.example.com/?a=$(id)&b=`id`;touch${IFS}x%22\n')
})

it.skipIf(process.platform !== 'linux')('says so where there is no browser', async () => {
  vi.stubEnv('PATH', '/nowhere')
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(openInBrowser('https://as.example.com/')).rejects.toThrow('Cannot open a browser on this machine')
})
