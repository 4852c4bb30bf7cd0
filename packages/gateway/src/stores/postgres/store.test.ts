import { findPostgres, type PostgresServer, startPostgres } from '@crosspoint/testkit'
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import { accountStoreSuite } from '../contract/account-store.suite.ts'
import { auditStoreSuite } from '../contract/audit-store.suite.ts'
import { counterStoreSuite } from '../contract/counter-store.suite.ts'
import { credentialStoreSuite } from '../contract/credential-store.suite.ts'
import { grantStoreSuite } from '../contract/grant-store.suite.ts'
import { keyStoreSuite } from '../contract/key-store.suite.ts'
import { openPostgres } from './store.ts'

const programs = findPostgres()

describe.skipIf(programs === undefined)('a store in PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres(programs ?? '', { fsync: 'off' }) // nothing here is about a crash
  })
  // Dozens of databases are removed, which a busy disk takes its time for.
  afterAll(() => server?.close(), 120_000)

  const openEmpty = async () => {
    const store = await openPostgres({ url: await server.createDatabase(), isUnmigrated: true })
    onTestFinished(() => store.close())
    await store.migrate()
    return store
  }

  keyStoreSuite(async () => (await openEmpty()).keys)
  auditStoreSuite(async () => (await openEmpty()).audit)
  credentialStoreSuite(async () => (await openEmpty()).credentials)
  accountStoreSuite(async () => (await openEmpty()).accounts)
  grantStoreSuite(async () => (await openEmpty()).grants)
  counterStoreSuite(async () => (await openEmpty()).counts)
})
