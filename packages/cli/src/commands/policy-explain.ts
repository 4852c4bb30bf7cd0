import type { ExplainedRule, PolicyExplanation, PolicyQuestion } from '@crosspoint/gateway'
import { type AdminClient, AdminError } from '@crosspoint/gateway/admin'
import type { JsonObject, Principal } from '@crosspoint/mcp'
import { locateConfig, readConfig } from '../configuration.ts'
import { CliError, type ExitKind } from '../exit.ts'
import { readArguments } from '../grammar/arguments.ts'
import type { Io } from '../io.ts'
import type { PolicyExplainOptions } from '../options.ts'
import type { Style } from '../print/style.ts'
import { toTable } from '../print/table.ts'
import { asking, findRunning } from '../running.ts'
import { startGateway, unknownView } from '../targets/merged.ts'
import { createSourceReader } from '../targets/source.ts'

/** Says whether a caller may use something, which rule decided, and why, rule by rule. */
export async function policyExplain(
  io: Io,
  name: string,
  words: readonly string[],
  options: PolicyExplainOptions,
): Promise<ExitKind> {
  const principal = toPrincipal(options)
  const args = await readArguments(words, createSourceReader(io))
  const { config } = readConfig(io, await locateConfig(io, options))
  const { view, kind } = options
  if (view !== undefined && !config.views.has(view)) throw unknownView(view, config)
  const running = await findRunning(io, options)
  if (running !== undefined) {
    return asking(async () => {
      const explained = await ask(running, { principal, kind, name, args, view })
      return show(io, explained, { principal, kind, name })
    })
  }
  const gateway = await startGateway(io, config)
  try {
    const question = { principal, kind, name, arguments: args, ...(view === undefined ? {} : { view }) }
    const explained = gateway.explainPolicy(question)
    if (explained === undefined) throw unknownThing(kind, name)
    return show(io, explained, question)
  } finally {
    await gateway.close({ graceMs: 0 })
  }
}

interface Asked {
  readonly principal: Principal
  readonly kind: PolicyQuestion['kind']
  readonly name: string
  readonly args: JsonObject
  readonly view: string | undefined
}

/** What a gateway that runs decides, by the rules in force there. */
async function ask(client: AdminClient, { principal, kind, name, args, view }: Asked): Promise<PolicyExplanation> {
  const { id, tenant, scopes, attributes } = principal
  const { roles, claims } = attributes as { readonly roles: string[]; readonly claims?: JsonObject } // see toPrincipal
  const said = {
    principal: { id, tenant, roles, scopes: scopes && [...scopes], claims },
    kind,
    name,
    arguments: args,
    view,
  }
  const {
    decision,
    scopes: counting,
    ...explained
  } = await client.explainPolicy(said).catch((error: unknown) => {
    throw error instanceof AdminError && error.code === 'not_found' ? unknownThing(kind, name) : error
  })
  const { effect, rule, dryRun } = decision
  return { ...explained, scopes: counting, decision: { effect, rule, dryRun } }
}

function unknownThing(kind: string, name: string): CliError {
  return new CliError('usage', `No server has a ${kind} "${name}"`, {
    hint: `"crosspoint ls ${kind}s" prints what there is`,
  })
}

function show({ terminal }: Io, explained: PolicyExplanation, question: PolicyQuestion): ExitKind {
  if (terminal.json) terminal.value(explained)
  else terminal.data(describe(explained, question, terminal.out))
  return 'ok'
}

function toPrincipal({ as: id, tenant, role = [], scope, claims }: PolicyExplainOptions): Principal {
  return {
    id,
    tenant,
    ...(scope === undefined ? {} : { scopes: scope }),
    attributes: { roles: role, ...(claims === undefined ? {} : { claims: parseClaims(claims) }) },
  }
}

function parseClaims(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  } catch {
    // said below
  }
  throw new CliError('usage', 'Cannot read the claims', { hint: `Write a JSON object: --claims '{"team":"docs"}'` })
}

function describe(explained: PolicyExplanation, { principal, name }: PolicyQuestion, style: Style): string {
  const { decision, listed, roles, scopes, covering, rules } = explained
  const { green, red, bold, dim } = style
  const may = decision.effect === 'allow' ? green('may use') : red('may not use')
  const lines = [
    `"${principal.id}" of "${principal.tenant}" ${may} ${bold(`"${name}"`)}: ${toReason(explained)}`,
    `In its lists: ${listed ? 'yes' : `no, hidden because ${toReason(explained)}`}`,
    `Roles: ${toList(roles)}`,
    `Scopes: ${scopes === undefined ? 'it is not bound by any' : toList(scopes)}`,
    `Scopes that cover it: ${toList(covering)}`,
  ]
  if (decision.dryRun) lines.push('This is a dry run: whatever is decided, it is let through')
  const rows = rules.map((rule) => [rule.effect, { text: rule.name, paint: bold }, { text: toState(rule), paint: dim }])
  return `${lines.join('\n')}\n${rows.length === 0 ? 'No rule is about it' : `\n${toTable(rows, undefined)}`}`
}

function toReason({ decision: { effect, rule } }: PolicyExplanation): string {
  if (rule === undefined) return `nothing speaks of it, and the default is to ${effect}`
  if (rule === 'scopes') return 'none of its scopes covers it'
  if (rule.startsWith('scope:')) return `its scope "${rule.slice(6)}" covers it`
  return `the rule "${rule}" ${effect === 'allow' ? 'lets' : 'refuses'} it`
}

function toState({ state, because }: ExplainedRule): string {
  if (state === 'holds') return 'holds'
  return state === 'not' ? `does not hold: not ${because}` : `cannot be told: ${because}`
}

function toList(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ')
}
