import { isObject } from '../../jsonrpc/members.ts'
import type { Result } from '../../protocol/call.ts'
import type { ServerCapabilities } from '../../protocol/capabilities.ts'
import { UI } from '../../protocol/extensions.ts'

/**
 * What a mounted server offers, by its own word. One that is away may offer anything later, and clients with a handshake
 * ask only once.
 */
export function toCapabilities(discovered: Result | undefined): ServerCapabilities {
  if (discovered === undefined) return ANYTHING
  const { capabilities } = discovered
  return isObject(capabilities) ? capabilities : {}
}

/** What a server offers that has another one mounted. */
export function joinCapabilities(all: ServerCapabilities, other: ServerCapabilities): ServerCapabilities {
  const ui = other.extensions?.[UI]
  return {
    ...all,
    ...(other.tools === undefined ? {} : { tools: { listChanged: true } }),
    ...(other.prompts === undefined ? {} : { prompts: { listChanged: true } }),
    ...(other.resources === undefined
      ? {}
      : {
          resources: {
            listChanged: true,
            ...(all.resources?.subscribe === true || other.resources.subscribe === true ? { subscribe: true } : {}),
          },
        }),
    ...(other.completions === undefined ? {} : { completions: {} }),
    ...(other.logging === undefined ? {} : { logging: {} }),
    ...(ui === undefined ? {} : { extensions: { [UI]: ui, ...all.extensions } }),
  }
}

const ANYTHING: ServerCapabilities = Object.freeze({
  tools: {},
  prompts: {},
  resources: { subscribe: true },
  completions: {},
})
