/**
 * Where the other half of what a caller carries is: the process that keeps it is named in clear beside what is sealed, so
 * that whoever gets it can hand it on. It opens nothing: what is sealed is judged where it is opened.
 */

/** Names a process for as long as it lives. */
export function toNodeName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return `n${Array.from(bytes, (byte) => DIGITS[byte % DIGITS.length]).join('')}`
}

/** A sealed state of a run, with the name of the process it waits in. */
export function withNode(node: string | undefined, box: string): string {
  return node === undefined ? box : `${node}:${box}`
}

export function withoutNode(box: string): string {
  return LEADING.test(box) ? box.slice(NODE_LENGTH + 1) : box
}

/** The process that a `requestState` says its call waits in; undefined for what waits nowhere, or here alone. */
export function nodeOfState(state: unknown): string | undefined {
  if (typeof state !== 'string' || !state.startsWith(RUN)) return undefined
  return LEADING.test(state.slice(RUN.length, RUN.length + NODE_LENGTH + 1))
    ? state.slice(RUN.length, RUN.length + NODE_LENGTH)
    : undefined
}

/** The process that the id of a task says knows the task: of one with a server it stands second, of one of ours first. */
export function nodeOfTask(id: unknown): string | undefined {
  if (typeof id !== 'string' || id.length > MAX_ID) return undefined
  return IN_TASK.exec(id)?.[1]
}

const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567'
const NODE_LENGTH = 13
const LEADING = /^n[a-z2-7]{12}:/
const IN_TASK = /^(?:[a-z0-9]{1,13}[.](?=n[a-z2-7]{12}[.])|(?=n[a-z2-7]{12}-))(n[a-z2-7]{12})/
const RUN = 'run:'
const MAX_ID = 8_192
