import type { Entry } from '../catalog/catalog.ts'
import type { Item, Kind } from '../catalog/kinds.ts'
import { type Facts, PromptFacts, ResourceFacts, ToolFacts } from '../conditions/facts.ts'
import type { Subject } from '../conditions/subject.ts'
import { toPlainUri } from './plain-uri.ts'

/** Something that a caller might use. */
export interface Target {
  readonly subject: Subject
  /** The merged name, or the URI as callers know it. */
  readonly name: string
  /** Another spelling of a URI that nobody lists; otherwise the same. */
  readonly plain: string
  readonly server: string
  /** As listed; the same object for the same thing. Undefined for an address that nobody lists. */
  readonly item: Item | undefined
}

export function toListed(kind: Kind, { merged, name, source, item }: Entry): Target {
  const known = merged ?? name
  return { subject: SUBJECTS[kind], name: known, plain: known, server: source.destination.name, item }
}

export function toUnlisted(uri: string, server: string): Target {
  return { subject: 'resources', name: uri, plain: toPlainUri(uri), server, item: undefined }
}

/** What conditions are told of it. */
export function toFacts({ subject, name, server, item = NOTHING }: Target): Facts {
  if (subject === 'tools') return { server, tool: new ToolFacts(name, item) }
  if (subject === 'prompts') return { server, prompt: new PromptFacts(name, item) }
  return { server, resource: new ResourceFacts(name, item) }
}

const SUBJECTS = {
  tools: 'tools',
  prompts: 'prompts',
  resources: 'resources',
  templates: 'resources',
  skills: 'resources',
} as const satisfies Record<Kind, Subject>
const NOTHING: Item = Object.freeze({})
