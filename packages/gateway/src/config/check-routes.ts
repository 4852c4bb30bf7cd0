import { ConditionFault, parseCondition } from '../conditions/condition.ts'
import { ROUTE_FACTS } from '../conditions/facts.ts'
import { quoted } from './quoted.ts'
import type { WrittenConfig } from './schema.ts'

type Complain = (path: readonly PropertyKey[], message: string, hint?: string) => void

/** Whether routes lead somewhere, and their conditions can be asked. */
export function checkRoutes({ routes }: WrittenConfig, error: Complain): void {
  for (const [name, { tools }] of Object.entries(routes)) {
    const seen = new Set<string>()
    for (const [index, written] of tools.entries()) {
      const at = ['routes', name, 'tools', index]
      const { tool, when } = typeof written === 'string' ? { tool: written } : { when: undefined, ...written }
      if (seen.has(tool)) error(at, 'This tool is there already', 'give it a "weight" to send more there')
      if (tool === name) error(at, 'A route cannot lead to itself', 'choose another name for the route')
      else if (Object.hasOwn(routes, tool)) error(at, `${quoted(tool)} is a route, and routes lead to tools`)
      seen.add(tool)
      if (when !== undefined) checkWhen(when, [...at, 'when'], error)
    }
  }
}

/** The condition is never repeated: it may hold a secret. */
function checkWhen(when: string, at: readonly PropertyKey[], error: Complain): void {
  try {
    parseCondition(when, ROUTE_FACTS)
  } catch (fault) {
    if (!(fault instanceof ConditionFault)) throw fault
    const place = fault.position === 0 ? '' : ` at character ${fault.position}`
    error(at, `The condition cannot be used${place}: ${fault.message}`)
  }
}
