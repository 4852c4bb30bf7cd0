import type { AuditConfig } from '../config/model-audit.ts'
import { toSelector } from '../config/selection.ts'
import { type Redaction, toRedaction } from './redaction.ts'

/** What is written of the arguments of one tool. */
export interface ArgumentRule {
  readonly content: AuditConfig['content']
  readonly redaction: Redaction
}

/** What is written of calls. */
export interface RecordSettings {
  /** Of the thing that a call names, by its merged name; the answer is kept. */
  ruleFor(target: string | undefined): ArgumentRule
  readonly results: AuditConfig['results']
  readonly maxContentLength: number
}

export function toRecordSettings({
  content,
  contentFor,
  redact,
  results,
  maxContentLength,
}: Pick<AuditConfig, 'content' | 'contentFor' | 'redact' | 'results' | 'maxContentLength'>): RecordSettings {
  const contents = contentFor.map((rule) => ({ matches: toSelector({ include: rule.tools }), content: rule.content }))
  const redactions = redact.map((rule) => ({
    matches: rule.tools === undefined ? undefined : toSelector({ include: rule.tools }),
    paths: rule.arguments,
  }))
  const toRule = (target: string): ArgumentRule => ({
    content: contents.find(({ matches }) => matches(target))?.content ?? content,
    redaction: toRedaction(
      redactions.flatMap(({ matches, paths }) => (matches === undefined || matches(target) ? paths : [])),
    ),
  })
  const known = new Map<string, ArgumentRule>()
  return {
    results,
    maxContentLength,
    ruleFor: (target = '') => {
      let rule = known.get(target)
      if (rule === undefined) {
        rule = toRule(target)
        // Callers ask for names that nothing has: what is kept is bounded.
        if (known.size < MAX_KNOWN) known.set(target, rule)
      }
      return rule
    },
  }
}

const MAX_KNOWN = 10_000
