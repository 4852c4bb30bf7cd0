import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPostgres, startPostgres } from '@crosspoint/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run } from '../../fixtures/crosspoint.ts'
import { createWorkspace } from '../../fixtures/workspace.ts'

const programs = findPostgres()

function createStores() {
  const workspace = createWorkspace()
  const { folder, options, write } = workspace
  write('crosspoint.yaml', 'servers: {}\n')
  const env = { ...options.env, XDG_STATE_HOME: join(folder, 'state') }
  return { ...workspace, options: { ...options, env }, file: join(folder, 'state', 'crosspoint', 'store.db') }
}

/** Many processes, one after the other. */
const SLOW = { timeout: 60_000 }

const succeeds = { code: 0, signal: null, stdout: '' }

describe('store', () => {
  it('makes a file in the state folder, backs it up and restores it into another', async () => {
    const { folder, options, file } = createStores()
    expect(await run(['store', 'migrate'], options)).toMatchObject({
      ...succeeds,
      stderr: expect.stringContaining('up to date: the embedded store'),
    })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await run(['store', 'backup', 'all.backup'], options)).toMatchObject(succeeds)
    expect(statSync(join(folder, 'all.backup')).mode & 0o777).toBe(0o600)
    const elsewhere = { ...options, env: { ...options.env, CROSSPOINT_STORE_PATH: join(folder, 'other', 'store.db') } }
    const restored = await run(['store', 'restore', 'all.backup', '--json'], elsewhere)
    expect(restored).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(restored.stdout)).toEqual({ file: 'all.backup', kind: 'embedded' })
    expect(existsSync(join(folder, 'other', 'store.db'))).toBe(true)
  })

  it('overwrites no file, and says what is wrong with one', async () => {
    const { write, folder, options, file } = createStores()
    write('mine', 'mine')
    const refused = await run(['store', 'backup', 'mine', '--json'], options)
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.stderr).error).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('a file'),
    })
    expect(readFileSync(join(folder, 'mine'), 'utf8')).toBe('mine')
    const damaged = await run(['store', 'restore', 'mine'], options)
    expect(damaged).toMatchObject({ code: 1, stderr: expect.stringContaining('Cannot read the backup') })
    writeFileSync(file, 'no database at all '.repeat(100))
    const broken = await run(['store', 'migrate'], options)
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining('restore a backup') })
  })

  it.skipIf(programs === undefined)(
    'sets up PostgreSQL, moves a store there, and shows nothing of its URL',
    SLOW,
    async () => {
      const server = await startPostgres(programs ?? '')
      onTestFinished(() => server.close())
      const { options, write } = createStores()
      expect(await run(['store', 'backup', 'file.backup'], options)).toMatchObject(succeeds)
      const url = await server.createDatabase()
      write('crosspoint.yaml', 'store: { kind: postgres, url: "${DATABASE}" }\n')
      const env = { ...options.env, DATABASE: url }
      const onPostgres = (...args: readonly string[]) => run(['store', ...args], { ...options, env })
      const early = await onPostgres('backup', 'early.backup')
      expect(early).toMatchObject({ code: 1, stderr: expect.stringContaining('crosspoint store migrate') })
      expect(await onPostgres('migrate')).toMatchObject(succeeds)
      expect(await onPostgres('restore', 'file.backup')).toMatchObject(succeeds)
      expect(await onPostgres('backup', 'postgres.backup')).toMatchObject(succeeds)
      await server.stop()
      const away = await run(['store', 'backup', 'x', '--verbose'], {
        ...options,
        env: { ...env, CROSSPOINT_STORE_TIMEOUT_MS: '300' },
      })
      expect(away).toMatchObject({ code: 4, stderr: expect.stringContaining('cannot be reached') })
      expect(away.stderr).not.toContain(server.password)
      expect(away.stderr).not.toContain(encodeURIComponent(server.password))
    },
  )
})
