import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { accountStoreSuite } from '../contract/account-store.suite.ts'
import { auditStoreSuite } from '../contract/audit-store.suite.ts'
import { counterStoreSuite } from '../contract/counter-store.suite.ts'
import { credentialStoreSuite } from '../contract/credential-store.suite.ts'
import { grantStoreSuite } from '../contract/grant-store.suite.ts'
import { keyStoreSuite } from '../contract/key-store.suite.ts'
import { openEmbedded } from './store.ts'

keyStoreSuite(async () => (await openEmpty()).keys)
auditStoreSuite(async () => (await openEmpty()).audit)
credentialStoreSuite(async () => (await openEmpty()).credentials)
accountStoreSuite(async () => (await openEmpty()).accounts)
grantStoreSuite(async () => (await openEmpty()).grants)
counterStoreSuite(async () => (await openEmpty()).counts)

async function openEmpty() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'crosspoint-store-')))
  const store = await openEmbedded({ path: join(folder, 'state', 'store.db') })
  onTestFinished(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return store
}
