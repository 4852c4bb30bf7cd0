import type { SessionFacts } from '../../../bridge/session-facts.ts'
import type { Principal } from '../../../protocol/call.ts'
import type { HttpRequest, HttpResponse } from '../exchange.ts'

/**
 * The same endpoint in other processes, behind the same address: any request may reach any of them. What a process holds
 * (a session, a call that waits for its caller) is its own; what is for another is handed on, and a session whose process
 * is gone is taken over.
 */
export interface Elsewhere {
  /** This process among the others (`toNodeName`). */
  readonly node: string
  /** Whether what is here is surely still ours: not where this process was away for so long that others took it over. */
  readonly isSure: boolean
  /**
   * Lets others find a session, as it is now. Resolves when they can, or when they could not be told: that is tried again
   * then. Never rejects.
   */
  keep(id: string, record: SessionRecord): Promise<void>
  /** It is still used. */
  touch(id: string): void
  /** It has ended. */
  forget(id: string): void
  /**
   * Undefined where there is surely no such session anywhere.
   * @throws {McpError} `policy.busy` where that cannot be told now
   */
  find(id: string): Promise<FoundSession | undefined>
  /** Takes over the session of a process that is gone: true for one of all who try, and nobody else has it then. */
  adopt(id: string, found: FoundSession): Promise<boolean>
  /** The door is closed: what was held is for others to take over, or is gone. */
  end(): void
  /**
   * Hands a request to another process, and what that answers to the client. `gone`: nothing of it got there. `lost`: it may
   * have got there, and nothing was answered. `broken`: an event stream was, and broke off.
   * @throws {McpError} `policy.busy` where it cannot be told now where that process is
   */
  forward(node: string, errand: Errand): Promise<'answered' | 'gone' | 'lost' | 'broken'>
}

/** What others are told of a session; of one that ends with its process, only whose it is. */
export type SessionRecord = Pick<SessionFacts, 'principal'> & Partial<SessionFacts>

export interface FoundSession {
  /** Where it is. */
  readonly node: string
  /** Whether that process gave a sign of life lately. */
  readonly isAlive: boolean
  /** How often it was taken over. */
  readonly era: number
  readonly record: SessionRecord
}

/** A request to be answered by another process. */
export interface Errand {
  readonly request: HttpRequest
  readonly response: HttpResponse
  readonly principal: Principal
  /** All of it; undefined for a request without one. */
  readonly body: Uint8Array | undefined
}

/** The sessions of one endpoint in this process, for those who tell others of them. */
export interface HeldSessions {
  readonly records: () => Iterable<readonly [id: string, record: SessionRecord]>
  /** Another process has taken it over: it ends here, and nobody is told. */
  readonly lose: (id: string) => void
}

/** Whether an id may be one of ours; nobody is asked about any other. */
export function isSessionId(id: string): boolean {
  return SESSION_ID.test(id)
}

const SESSION_ID = /^[\w-]{32}$/
