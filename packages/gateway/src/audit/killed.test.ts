import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@crosspoint/mcp'
import { expect, onTestFinished, test } from 'vitest'
import { SILENT } from '../log.ts'
import { openAuditKey, toVerifiers } from '../node/audit-key.ts'
import { openEmbedded } from '../stores/embedded/store.ts'
import { createEvidence } from './evidence.ts'
import { searchAll } from './export.ts'
import { DEFAULTS } from './fixtures/evidence.ts'
import { verifyAudit } from './verify.ts'

const PROGRAM = fileURLToPath(new URL('fixtures/writes-until-killed.mjs', import.meta.url))
const CHAIN = 'f'.repeat(32)

test('a process that is killed loses no record that it acknowledged, and its chain says that it did not end in order', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crosspoint-killed-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const acknowledged = await writeUntilKilled(folder, 300)

  const store = await openEmbedded({ path: join(folder, 'data', 'store.db') })
  onTestFinished(() => store.close())
  const kept = new Set<string | undefined>()
  for await (const rows of searchAll(store.audit, { method: 'tools/call', limit: 500 })) {
    for (const { index } of rows) kept.add(index.target)
  }
  expect(acknowledged.filter((n) => !kept.has(`call_${n}`))).toEqual([])

  const signer = openAuditKey(join(folder, 'keys', 'audit.key'))
  const verifiers = toVerifiers([signer.publicKey])
  expect(await verifyAudit(store.audit, { verifiers })).toMatchObject([{ end: 'open', finding: undefined }])

  // Whoever comes next says where it ended.
  const next = createEvidence({
    config: DEFAULTS,
    store: store.audit,
    signer,
    clock: systemClock,
    log: SILENT,
    about: { version: '1.0.0' },
    chain: 'e'.repeat(32),
  })
  await next.close('stopped', 10_000)
  expect(await verifyAudit(store.audit, { verifiers })).toMatchObject([
    { chain: 'e'.repeat(32), last: 2, signed: 2, end: 'stopped', finding: undefined },
    { chain: CHAIN, end: 'open', finding: undefined },
  ])
}, 30_000)

/** Kills it once it has acknowledged so many. @returns which */
async function writeUntilKilled(folder: string, count: number): Promise<readonly number[]> {
  const child = spawn(process.execPath, [PROGRAM, folder, CHAIN], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let said = ''
  let isKilled = false
  for await (const chunk of child.stdout) {
    said += String(chunk)
    if (!isKilled && said.split('\n').length > count) isKilled = child.kill('SIGKILL')
  }
  await exited
  // The last line may be cut.
  return said.split('\n').slice(0, -1).map(Number)
}
