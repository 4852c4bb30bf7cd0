import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { findPostgres, startPostgres } from './postgres.ts'
import { findProgram } from './programs.ts'
import { findRedis, startRedis } from './redis.ts'

const postgres = findPostgres()
const redis = findRedis()
afterEach(() => void vi.unstubAllEnvs())

test('a program that is missing is undefined on a desk and an error in CI', () => {
  vi.stubEnv('CI', '')
  expect(findProgram('crosspoint-no-such-program')).toBeUndefined()
  vi.stubEnv('CI', '1')
  expect(() => findProgram('crosspoint-no-such-program')).toThrow('Cannot find "crosspoint-no-such-program"')
})

test.skipIf(postgres === undefined)('PostgreSQL keeps what was committed when it is stopped and started', async () => {
  const server = await startPostgres(postgres ?? '')
  onTestFinished(() => server.close())
  const database = new URL(await server.createDatabase()).pathname.slice(1)
  await server.query(database, 'create table kept (it text)')
  await server.query(database, `insert into kept values ('here')`)
  await server.stop()
  await expect(server.query(database, 'select 1')).rejects.toThrow('refused')
  await server.start()
  expect(await server.query(database, 'select it from kept')).toBe('here')
})

test.skipIf(redis === undefined)('Redis answers, and answers again when it was stopped and started', async () => {
  const server = await startRedis(redis ?? '')
  onTestFinished(() => server.close())
  const ping = async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.end('PING\r\n')
    const [answer] = await once(socket.setEncoding('utf8'), 'data')
    return answer
  }
  expect(await ping()).toBe('+PONG\r\n')
  await server.stop()
  await expect(ping()).rejects.toThrow('ECONNREFUSED')
  await server.start()
  expect(await ping()).toBe('+PONG\r\n')
})
