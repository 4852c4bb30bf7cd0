export type { Closed, Connection, ConnectionOptions, Target, Verdict } from './connection.ts'
