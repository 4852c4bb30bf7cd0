import { type Call, findRevision, type Handle, hasCapability, McpError, METHODS, type Result } from '@crosspoint/mcp'
import { toToolError } from '../upstreams/sentences.ts'
import type { CredentialOwner } from './sealed-tokens.ts'
import type { Missing } from './signed-in.ts'

/** Where people are sent to sign in, and who hears when they have. */
export interface SignInDesk {
  /** The page where an owner signs in to a server; undefined where the gateway has no address for that. */
  linkFor(server: string, owner: CredentialOwner, missing: Missing | undefined): Promise<string | undefined>
  /** Resolves when the owner has signed in, when the call is cancelled, and after `ms` at the latest. */
  untilConnected(server: string, owner: CredentialOwner, call: Call, ms: number): Promise<void>
  /** Calls `tell` when the owner has signed in, once. */
  onConnected(server: string, owner: CredentialOwner, tell: () => void): void
}

/** A caller's credential for one server, as far as calls are concerned. */
export interface Holder {
  readonly isReady: boolean
  look(): Promise<boolean>
  readonly missing: Missing | undefined
}

export interface SignInOptions {
  readonly server: string
  readonly desk: SignInDesk
  readonly ownerOf: (call: Call) => CredentialOwner
  readonly holderOf: (call: Call) => Holder
  /** The call failed for want of a sign-in. */
  readonly isMissing: (error: unknown) => boolean
  /** Told why what is kept cannot be looked at, which is no caller's to read. */
  readonly tell: (error: unknown) => void
}

/**
 * Calls of callers who each sign in: who has, goes on; who has not, is asked to in the words of its revision (PROTOCOL
 * §15.5). A call that was refused for want of a sign-in did nothing, and is made again.
 */
export function requireSignIn(next: Handle, options: SignInOptions): Handle {
  const { holderOf, isMissing } = options
  const slowly = async (call: Call, holder: Holder): Promise<Result> => {
    const { answer, bare } = takeAnswer(call)
    let isThere: boolean
    try {
      isThere = (await holder.look()) || (await isComing(call, holder, answer, options))
    } catch (error) {
      options.tell(error)
      return inWords(call, `The sign-in to "${options.server}" cannot be looked at, or renewed, now. Try again shortly`)
    }
    if (!isThere) {
      if (answer !== undefined && answer !== 'accept') return refused(call, options.server)
      return ask(call, undefined, options)
    }
    return send(bare, holder)
  }
  const send = async (call: Call, holder: Holder): Promise<Result> => {
    try {
      return await next(call)
    } catch (error) {
      if (!isMissing(error)) throw error
      return ask(call, holder.missing, options)
    }
  }
  return (call) => {
    const holder = holderOf(call)
    return holder.isReady && call.params.inputResponses === undefined ? send(call, holder) : slowly(call, holder)
  }
}

/** Who has agreed to open the page may be about to be done. */
async function isComing(
  call: Call,
  holder: Holder,
  answer: string | undefined,
  { server, desk, ownerOf }: SignInOptions,
): Promise<boolean> {
  if (answer !== 'accept') return false
  await desk.untilConnected(server, ownerOf(call), call, PATIENCE_MS)
  return holder.look()
}

async function ask(call: Call, missing: Missing | undefined, options: SignInOptions): Promise<Result> {
  const { server, desk, ownerOf } = options
  const owner = ownerOf(call)
  const url = await desk.linkFor(server, owner, missing)
  const more = missing?.status === 403 ? 'It wants more to be allowed than before. ' : ''
  const message = `Sign in to "${server}", so that this gateway can use it for you. ${more}`.trim()
  if (url === undefined) {
    return inWords(call, `${more}Nobody has signed in to "${server}" for this caller: crosspoint connect ${server}`)
  }
  if (!hasCapability(call.downstream.capabilities, 'elicitation.url')) {
    return inWords(call, `${message} The user has to open this page, in a browser: ${url}`)
  }
  const revision = findRevision(call.downstream.revision)
  if (revision?.methods.has(COMPLETE) === true) {
    const elicitationId = crypto.randomUUID()
    const { interim } = call
    desk.onConnected(server, owner, () => interim.notify({ method: COMPLETE, params: { elicitationId } }))
    const elicitations = [{ mode: 'url', elicitationId, url, message }]
    throw new McpError('caller.page_required', message, { data: { elicitations } })
  }
  const isAskedByResult = revision?.traits.serverRequests === false && METHODS.get(call.method)?.mayAsk === true
  // In the middle of an exchange with the server there is no room for a question of ours: its state would be lost.
  if (!isAskedByResult || call.params.requestState !== undefined) {
    return inWords(call, `${message} The user has to open this page, in a browser: ${url}`)
  }
  const request = { method: 'elicitation/create', params: { mode: 'url', url, message } }
  return { resultType: 'input_required', inputRequests: { [QUESTION]: request } }
}

function refused(call: Call, server: string): Result {
  return inWords(call, `The user did not want to sign in to "${server}", and without that it cannot be used`)
}

/** A model reads why, where it called a tool; all else has an error. */
function inWords({ method }: Call, sentence: string): Result {
  if (method === 'tools/call') return toToolError(sentence)
  throw new McpError('upstream.unauthorized', sentence)
}

interface Answered {
  /** What the person said to our question; undefined where it was not asked. */
  readonly answer: string | undefined
  /** The call without that: it is none of the server's business. */
  readonly bare: Call
}

function takeAnswer(call: Call): Answered {
  const { inputResponses, requestState, ...params } = call.params
  if (!isObject(inputResponses) || requestState !== undefined || !Object.hasOwn(inputResponses, QUESTION)) {
    return { answer: undefined, bare: call }
  }
  const { [QUESTION]: said, ...others } = inputResponses
  const rest = Object.keys(others).length === 0 ? {} : { inputResponses: others }
  const answer = isObject(said) && typeof said.action === 'string' ? said.action : 'cancel'
  return { answer, bare: { ...call, params: { ...params, ...rest } } }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const COMPLETE = 'notifications/elicitation/complete'
/** No server is asked anything under this name. */
const QUESTION = 'crosspoint/sign-in'
/** Clients wait a minute for an answer, most of them. */
const PATIENCE_MS = 45_000
