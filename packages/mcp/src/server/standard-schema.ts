import { isObject } from '../jsonrpc/members.ts'

/**
 * What a schema library offers under `~standard` (https://standardschema.dev), as far as it is used here. Zod 4,
 * Valibot and ArkType have it; `jsonSchema` comes with Zod 4.2 and later.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Readonly<Record<string, unknown>>
      readonly output: (options: { readonly target: 'draft-2020-12' }) => Readonly<Record<string, unknown>>
    }
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export function isStandardSchema(value: unknown): value is StandardSchema {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && '~standard' in value
}

/** A schema of Zod 3 before 3.24, which has nothing under `~standard` and would be taken for a plain JSON Schema. */
export function isOldZod(value: unknown): boolean {
  const { _def: definition } = isObject(value) ? value : {}
  return isObject(definition) && String(definition.typeName).startsWith('Zod') && !isStandardSchema(value)
}

/** The first three issues as one line: `city: expected string; days: too big`. */
export function toIssueText(issues: readonly StandardIssue[]): string {
  const lines = issues.slice(0, MAX_ISSUES).map(({ message, path }) => {
    const at = (path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
    return at === '' ? message : `${at}: ${message}`
  })
  if (issues.length > MAX_ISSUES) lines.push(`and ${issues.length - MAX_ISSUES} more`)
  return lines.join('; ')
}

const MAX_ISSUES = 3
