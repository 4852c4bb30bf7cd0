export type { Closed, Connection, ConnectionOptions, Target, Verdict } from './connection.ts'
export { openConnection } from './open.ts'
