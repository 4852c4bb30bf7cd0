import { readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Gateway, PolicyExplanation } from '@crosspoint/gateway'
import { type PolicyCase, parsePolicyCases } from '@crosspoint/gateway/config'
import type { JsonObject, Result } from '@crosspoint/mcp'
import { locateConfig, readConfig, toConfigFault } from '../configuration.ts'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { CommonOptions } from '../options.ts'
import { visible } from '../print/visible.ts'
import { startGateway } from '../targets/merged.ts'

interface Outcome {
  readonly name: string
  readonly line: number
  readonly passed: boolean
  readonly expected: string
  readonly found: string
}

/** Holds the rules against a file of what is expected of them. Servers are started for what they list; nothing is called. */
export async function policyTest(io: Io, file: string | undefined, options: CommonOptions): Promise<ExitKind> {
  const configPath = await locateConfig(io, options)
  const path = file ?? defaultFile(configPath)
  const cases = readCases(io, path)
  const { config } = readConfig(io, configPath)
  const gateway = await startGateway(io, config)
  try {
    const outcomes = cases.map((one) => hold(gateway, one))
    const failed = outcomes.filter(({ passed }) => !passed)
    const { terminal } = io
    if (terminal.json)
      terminal.value({ file: path, passed: outcomes.length - failed.length, failed: failed.length, outcomes })
    else {
      for (const { name, line, expected, found } of failed) {
        terminal.data(
          `${visible(path)}:${line}: ${terminal.out.red('failed')}: ${visible(name)}: expected ${expected}, found ${found}`,
        )
      }
      const said =
        failed.length === 0 ? terminal.err.green('all as expected') : terminal.err.red(`${failed.length} failed`)
      terminal.say(`${said}: ${outcomes.length} ${outcomes.length === 1 ? 'test' : 'tests'} of ${visible(path)}`)
    }
    return failed.length === 0 ? 'ok' : 'unexpected'
  } finally {
    await gateway.close({ graceMs: 0 })
  }
}

/** `crosspoint.tests.yaml` beside `crosspoint.yaml`. */
function defaultFile(configPath: string): string {
  return join(dirname(configPath), basename(configPath).replace(/(\.[a-z]+)$/i, '.tests$1'))
}

function readCases(io: Io, path: string): readonly PolicyCase[] {
  let text: string
  try {
    text = readFileSync(resolve(io.cwd, path), 'utf8')
  } catch (cause) {
    const hint = `Write what you expect of the rules:
  tests:
    - { as: bob, tool: files__delete, expect: deny }`
    throw new CliError('usage', `Cannot read ${visible(path)}`, { hint, cause })
  }
  try {
    return parsePolicyCases(text, path)
  } catch (error) {
    throw toConfigFault(error)
  }
}

function hold(gateway: Gateway, one: PolicyCase): Outcome {
  const { name, line, kind, thing, view, result } = one
  const explained = gateway.explainPolicy({
    principal: {
      id: one.as,
      tenant: one.tenant,
      ...(one.scopes === undefined ? {} : { scopes: one.scopes }),
      attributes: { roles: one.roles, ...(one.claims === undefined ? {} : { claims: one.claims as JsonObject }) },
    },
    kind,
    name: thing,
    ...(view === undefined ? {} : { view }),
    arguments: one.arguments as JsonObject, // out of YAML or JSON
    ...(result === undefined ? {} : { result: result as Result }),
  })
  const expected = describe(one.expect, one.rule, one.listed)
  if (explained === undefined) return { name, line, passed: false, expected, found: `no ${kind} "${visible(thing)}"` }
  const { decision, listed } = explained
  const passed =
    decision.effect === one.expect &&
    (one.rule === undefined || decision.rule === one.rule) &&
    (one.listed === undefined || listed === one.listed)
  return {
    name,
    line,
    passed,
    expected,
    found: describe(decision.effect, decision.rule ?? 'the default', found(one, explained)),
  }
}

/** Whether it is listed is said where somebody asked. */
function found({ listed }: PolicyCase, explained: PolicyExplanation): boolean | undefined {
  return listed === undefined ? undefined : explained.listed
}

function describe(effect: string, rule: string | undefined, listed: boolean | undefined): string {
  const by = rule === undefined ? '' : ` by ${visible(rule)}`
  return `${effect}${by}${listed === undefined ? '' : listed ? ', listed' : ', not listed'}`
}
