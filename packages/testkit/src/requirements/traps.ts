/** The demands of the specification that implementations most often miss, each proved by tests that carry its number. */
export interface Trap {
  readonly trap: number
  /** What must hold, in our own words. */
  readonly rule: string
  /** Which revisions demand it. */
  readonly revisions: readonly string[]
  /** Why it cannot be broken yet; its tests prove just that. */
  readonly notBuilt?: string
}

const A = '2024-11-05'
const B = '2025-03-26'
const C = '2025-06-18'
const D = '2025-11-25'
const E = '2026-07-28'
const HANDSHAKE = [A, B, C, D]
const SESSIONS = [B, C, D]
const SINCE_B = [B, C, D, E]
const ALL = [A, B, C, D, E]

const RULES: readonly (readonly [rule: string, revisions: readonly string[], notBuilt?: string])[] = [
  ['Every request says its version and what its client can do; one that does not is refused, with HTTP 400', [E]],
  ['Nothing is remembered from one request to the next on a connection', [E]],
  ['Every server answers server/discover, with caching hints; no client has to ask', [E]],
  ['A version header that differs from the body is refused, before the version itself is judged', [E]],
  ['A header that mirrors the body and is missing is as wrong as one that differs', [E]],
  ['Header values in base64 are decoded before they are compared; values that look like it are encoded', [E]],
  ['A method nobody knows is answered with 404 and -32601; other failures of handlers with 200', [E]],
  ['An argument that is mirrored needs its header; null and absent ones have none', [E]],
  ['A bad x-mcp-header costs a client over HTTP that tool and no other', [E]],
  ['A closed stream cancels in the newest revision, and never in a session', [B, C, D, E]],
  ['A server sends no requests, and a client no responses', [E]],
  ['Only tools/call, prompts/get and resources/read are answered with a question', [E]],
  ['requestState goes back as it came, or not at all; a retry has an id of its own', [E]],
  ['requestState is hostile: integrity, principal, expiry and request are verified', [E]],
  ['A caller is asked only for what this request declared; else it is told what was missing, as an object', [E]],
  ['An answer that is missing is asked for again', [E]],
  ['What a retry brought is not cached, what is private stays with whom it is for, and a list has one scope', [E]],
  ['Lists vary by authorization, never by connection or by what was called before', [E]],
  ['A subscription is acknowledged first; all of it carries its id; only what was asked for is sent', [E]],
  ['Progress and log messages belong to calls, never to a subscription; log messages only where asked for', [E]],
  ['Retired and reserved error codes are never sent', [E]],
  ['A resource that does not exist is an error, never an empty answer', [E]],
  ['The era of a server is not told by one error code; its modern errors are recognised first', [E]],
  ['Session ids and Last-Event-ID are ignored; GET and DELETE are answered with 405', [E]],
  ['A result of an unknown type is invalid; one without a type is complete', [E]],
  ['Structured content is looked for by presence, not by truth, and conforms to its schema', [E]],
  ['No reference of a schema is fetched; 2020-12 works; a dialect that does not is named', [E]],
  ['The empty text is a cursor', ALL],
  ['A session id goes with every later request, 404 opens a session without it, and it is visible ASCII', SESSIONS],
  ['A message is on one stream only, a stream is replayed by itself, and event ids are unique in a session', SESSIONS],
  ['A client stays away as long as it is asked to; an event with empty data is no message', [D]],
  ['Batches are read where the revision has them and refused elsewhere; initialize is never in one', [B, C]],
  ['The version header goes with all that follows initialize; a bad one is refused, none means the first', [C, D]],
  ['A version the server does not know is answered with one it does', HANDSHAKE],
  ['A foreign Origin is refused, over every HTTP transport', ALL],
  ['Standard output carries messages, one a line, and nothing else', ALL],
  ['An empty elicitation capability means forms; no mode is used that was not declared', [D, E]],
  ['No secrets by form; a page is shown whole, never fetched ahead, and opened by consent', [D, E]],
  ['Tool results stand alone in their message, and every use of a tool has one', [D, E]],
  ['All that belongs to a task names it; it is cancelled by its own method; what is final stays', [D]],
  ['A task can be found before it is answered, is for those who declared it, and may complete with an error', [E]],
  ['Ids of tasks, cursors and handles are checked against their caller each time', ALL],
  ['The audience of a token is checked; a token is never passed on, and never in an address', [C, D, E]],
  ['The resource is named to both endpoints of an authorization server', [C, D, E]],
  ['Without PKCE by S256 nobody is authorized', [D, E]],
  ['The issuer of metadata and of answers is the one expected, to the letter', [E]],
  ['Credentials of a client belong to one issuer', [E]],
  ['Asking for more scopes asks for those one has too', [E]],
  ['Progress only increases, and ends with its call', ALL],
  ['initialize is never cancelled, and nobody cancels what is not theirs; late answers are ignored', HANDSHAKE],
  ['What tools say of themselves is not trusted; icons are https or data, fetched without credentials', SINCE_B],
  ['At most 100 values complete an argument', ALL],
  ['A client over stdio subscribes anew after it connects anew', [E]],
  [
    'A proxy with one client id of its own asks for consent for each client that registers',
    SINCE_B,
    'No proxy of ours issues tokens yet: nothing that a caller authenticates with leads upstream',
  ],
]

/** Rows in the order of their numbers, which begin with 1. */
export const TRAPS: readonly Trap[] = RULES.map(([rule, revisions, notBuilt], index) => ({
  trap: index + 1,
  rule,
  revisions,
  ...(notBuilt === undefined ? {} : { notBuilt }),
}))
